"""What must not bring it down: kills, full disks, bad neighbours, nonsense."""

import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

from harness import (HEADROOM, SERVICE, Case, alive, document, eventually, free_port, rss_bytes)


class Killed(Case):
    def test_kill_9_under_load_loses_no_decision_and_leaves_no_orphan(self):
        port = free_port()
        flags = ("--listen", f"127.0.0.1:{port}", "--output", "none", "--name", "shop", "--min",
                 "0", "--max", "6", "--concurrency", "5", "--window", "60s", "--", SERVICE,
                 "--port", "$(PORT)", "--wait", "20ms")
        headroom = self.run_headroom(*flags)
        load = self.load(f"http://127.0.0.1:{port}", "--rate", "800", "--duration", "12s")
        self.assertTrue(eventually(lambda: len(headroom.replicas()) >= 4), headroom.log())
        replicas = headroom.replicas()
        headroom.kill()
        said = re.findall(r"(\d+) → (\d+) replicas?:", headroom.log())
        self.assertTrue(eventually(lambda: not any(map(alive, replicas)), 5), "orphans are left")

        again = self.run_headroom(*flags)
        resumed = int(again.wait_for(r"started with (\d+) replicas?, as the journal says")[1])
        self.assertEqual(resumed, int(said[-1][1]), "where it was, not the minimum")
        written = [(e["decision"]["current"], e["decision"]["replicas"])
                   for e in reversed(again.explain("shop", "--rescales", "--last", "1000"))]
        for change in said:
            self.assertIn((int(change[0]), int(change[1])), written, "said but not written")
        load.result()
        self.assertEqual(again.get()[0], 200)

    def test_a_replica_that_is_killed_comes_back_and_no_safe_request_is_lost(self):
        headroom = self.service("--min", "3", "--max", "3", service=("--wait", "5ms"))
        self.assertTrue(eventually(lambda: len(headroom.replicas()) == 3))
        load = self.load(headroom.url(), "--rate", "500", "--duration", "6s")
        for _ in range(10):
            time.sleep(0.5)
            victims = headroom.replicas()
            if victims:
                os.kill(random.choice(victims), signal.SIGKILL)
        self.assertEqual(load.result()["failures"], 0)
        self.assertTrue(eventually(lambda: len(headroom.replicas()) == 3), headroom.log())


class Disk(Case):
    def tiny(self, size):
        """A file system of its own, or a skip where nobody may mount one."""
        path = os.path.join(self.folder, "tiny")
        os.mkdir(path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path],
                              capture_output=True)
        if done.returncode != 0:
            self.skipTest("mounting a file system takes more rights than this test has")
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        return path

    def test_a_full_disk_stops_no_scaling_and_loses_no_decision(self):
        tiny = self.tiny("1m")
        headroom = self.service("--min", "0", "--max", "4", "--concurrency", "2", "--window", "6s",
                                "--cooldown", "1s", "--name", "shop", service=("--wait", "50ms"),
                                journal=os.path.join(tiny, "journal.db"))
        headroom.wait_for("listening")
        filler = os.path.join(tiny, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        load = self.load(headroom.url(), "--rate", "200", "--duration", "5s")
        headroom.wait_for(r"journal: .*(full|space)")
        self.assertTrue(eventually(lambda: len(headroom.replicas()) >= 3), headroom.log())
        self.assertEqual(load.result()["failures"], 0)
        os.remove(filler)
        headroom.wait_for("writable again")
        said = re.findall(r"shop: (\d+) → (\d+) replicas?:", headroom.log())
        written = [(e["decision"]["current"], e["decision"]["replicas"])
                   for e in headroom.explain("shop", "--rescales", "--last", "1000")]
        for change in said:
            self.assertIn((int(change[0]), int(change[1])), written)


class Refused(Case):
    """What cannot start says why, and what to do, and ends."""

    def refuses(self, headroom, code, pattern):
        self.assertEqual(headroom.process.wait(20), code, headroom.log())
        self.assertRegex(headroom.log(), pattern)

    def test_an_unwritable_journal(self):
        self.refuses(self.service(journal="/proc/headroom/journal.db"), 1, r"/proc/headroom")

    def test_a_damaged_journal(self):
        path = os.path.join(self.folder, "bad.db")
        with open(path, "wb") as file:
            file.write(b"SQLite format 3\0" + os.urandom(8192))
        self.refuses(self.service(journal=path), 1, r"bad\.db")

    def test_a_journal_that_another_writes(self):
        first = self.service()
        first.wait_for("listening")
        self.refuses(self.service(journal=first.journal), 1, rf"process {first.workers()[0]}")

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            headroom = self.run_headroom("--listen", f"127.0.0.1:{port}", "--", SERVICE)
            self.refuses(headroom, 1, rf"127\.0\.0\.1:{port}.*in use")

    def test_yaml_of_100_megabytes(self):
        path = os.path.join(self.folder, "large.yaml")
        with open(path, "wb") as file:
            for _ in range(100):
                file.write(b"# " + b"x" * (1 << 20) + b"\n")
        headroom = self.run_headroom(path)
        self.refuses(headroom, 2, r"large\.yaml")

    def test_yaml_that_unfolds_without_end(self):
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        for i in range(1, 12):
            lines.append(f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 10) + "]")
        path = self.write("bomb.yaml", "\n".join(lines) + "\n")
        self.refuses(self.run_headroom(path), 2, r"bomb\.yaml:\d+:\d+:")


class Misbehaved(Case):
    """A bad service is reported, with what it said; a good one beside it goes on."""

    def beside_a_good_one(self, bad):
        good_port, bad_port = free_port(), free_port()
        text = document("good", good_port, 1, 2) + "---\n" + bad.replace("PORT_OF_BAD", str(bad_port))
        headroom = self.run_headroom(self.write("app.yaml", text))
        return headroom, good_port, bad_port

    @staticmethod
    def bad(command, probe="", extra=""):
        return f"""apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: {{ name: bad }}
spec:
  target:
    process:
      command: {command}
      startTimeout: 1s
{probe}
  gateway: {{ listen: "127.0.0.1:PORT_OF_BAD", hold: {{ timeout: 3s }} }}
  minReplicas: 1
  maxReplicas: 2
{extra}
"""

    def check(self, command, pattern, probe=""):
        headroom, good, bad = self.beside_a_good_one(self.bad(command, probe))
        headroom.wait_for(pattern)
        self.assertEqual(headroom.get(port=good)[0], 200)
        status, _, fields = headroom.get(port=bad)
        self.assertEqual(status, 503)
        self.assertIn("Retry-After", fields)
        self.assertEqual(headroom.get(port=good)[0], 200)
        self.assertEqual(headroom.terminate(), 0)

    def test_a_command_that_does_not_exist(self):
        self.check("[/no/such/server]", r"bad: .*/no/such/server.*")

    def test_a_service_that_crashes(self):
        self.check('[/bin/sh, -c, "echo out of memory >&2; exit 3"]', r"(?s)bad: .*status 3.*out of memory")

    def test_a_service_that_never_becomes_ready(self):
        self.check('[/bin/sh, -c, "echo still loading; exec sleep 1000"]',
                   r"(?s)bad: .*not ready.*still loading")

    def test_a_readiness_endpoint_that_hangs(self):
        self.check(f'["{SERVICE}", --port, $(PORT), --wait, 1000s]', r"bad: .*not ready",
                   "      readinessProbe: { httpGet: { path: / }, periodSeconds: 1 }")


class Crowd(Case):
    def test_more_connections_than_there_is_room_for(self):
        port = free_port()
        extra = ""
        text = document("shop", port, 1, 1).replace(
            f'listen: "127.0.0.1:{port}"',
            f'listen: "127.0.0.1:{port}", limits: {{ connections: 500 }}')
        headroom = self.run_headroom(self.write("app.yaml", text + extra))
        self.assertEqual(headroom.get(port=port)[0], 200)
        before = rss_bytes(headroom.workers()[0])
        # 50,000 come, 2,000 at a time; each is served or let go, and nobody else suffers.
        opened = 0
        for _ in range(25):
            crowd = []
            for _ in range(2000):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
                crowd.append(client)
            opened += len(crowd)
            self.assertEqual(headroom.get(port=port)[0], 200)
            for client in crowd:
                client.close()
        self.assertEqual(opened, 50000)
        self.assertEqual(headroom.get(port=port)[0], 200)
        self.assertLess(rss_bytes(headroom.workers()[0]) - before, 64 << 20)

    def test_slow_loris_clients_are_let_go_and_cost_little(self):
        port = free_port()
        text = document("shop", port, 1, 1).replace(
            f'listen: "127.0.0.1:{port}"',
            f'listen: "127.0.0.1:{port}", timeouts: {{ head: 2s }}')
        headroom = self.run_headroom(self.write("app.yaml", text))
        self.assertEqual(headroom.get(port=port)[0], 200)
        before = rss_bytes(headroom.workers()[0])
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(2000)]
        for client in slow:
            client.sendall(b"GET / HTTP/1.1\r\nX: ")
        for _ in range(8):
            for client in slow:
                try:
                    client.send(b"x")
                except OSError:
                    pass
            self.assertEqual(headroom.get(port=port)[0], 200)
            time.sleep(0.4)
        slow[0].settimeout(10)
        self.assertIn(b" 408 ", slow[0].recv(1000))
        self.assertLess(rss_bytes(headroom.workers()[0]) - before, 32 << 20)
        for client in slow:
            client.close()

    def test_a_header_of_one_megabyte_is_refused(self):
        headroom = self.service("--min", "1")
        with socket.create_connection(("127.0.0.1", headroom.port())) as client:
            client.settimeout(10)
            sender = threading.Thread(target=self.send_quietly, args=(
                client, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * (1 << 20) + b"\r\n\r\n"))
            sender.start()
            self.assertIn(b" 431 ", client.recv(1000))
            sender.join()
        self.assertEqual(headroom.get()[0], 200)

    @staticmethod
    def send_quietly(client, data):
        try:
            client.sendall(data)
        except OSError:
            pass


class Large(Case):
    SIZE = int(os.environ.get("LARGE_BYTES", 10 << 30))

    def test_ten_gibibytes_pass_both_ways_in_constant_memory(self):
        headroom = self.service("--min", "1")
        self.assertEqual(headroom.get()[0], 200)
        before = rss_bytes(headroom.workers()[0])
        most = [0]
        done = threading.Event()

        def watch():
            while not done.wait(0.05):
                most[0] = max(most[0], rss_bytes(headroom.workers()[0]))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            self.assertEqual(self.download(headroom.port()), self.SIZE)
            self.assertEqual(self.upload(headroom.port()), self.SIZE)
        finally:
            done.set()
            watcher.join()
        self.assertLess(most[0] - before, 4 << 20)

    def download(self, port):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /?size=%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % self.SIZE)
            return self.count_body(client)

    def upload(self, port):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                           b"Content-Length: %d\r\n\r\n" % self.SIZE)
            sender = threading.Thread(target=self.send_all, args=(client,))
            sender.start()
            size = self.count_body(client)
            sender.join()
            return size

    def send_all(self, client):
        part = bytes(1 << 20)
        left = self.SIZE
        while left > 0:
            left -= client.send(part[:min(left, len(part))])

    @staticmethod
    def count_body(client):
        buffer = bytearray(1 << 20)
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
        size = len(head) - head.index(b"\r\n\r\n") - 4
        while got := client.recv_into(buffer):
            size += got
        return size


if __name__ == "__main__":
    unittest.main(verbosity=2)
