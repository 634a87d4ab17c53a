"""An upgrade of the running program, and sockets that a service manager made."""

import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

import harness
from admin import Admin
from harness import HEADROOM, SERVICE, Case, alive, eventually, free_port

# Puts sockets that listen where sd_listen_fds(3) says, and becomes the rest of its arguments.
AS_A_MANAGER = """
import os, socket, sys
import fcntl
fds = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 64) for fd in sys.argv[1].split(",")]  # out of the way
for n, fd in enumerate(fds): os.dup2(fd, 3 + n, inheritable=True); os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))
os.execv(sys.argv[2], sys.argv[2:])
"""


def upgrade(headroom):
    """Asks for it, and waits until a new worker has taken over."""
    before = set(headroom.workers())
    took = headroom.log().count("taken over at an upgrade")
    headroom.process.send_signal(signal.SIGUSR2)
    done = eventually(lambda: headroom.log().count("taken over at an upgrade") > took)
    if not done:
        raise AssertionError(f"no upgrade:\n{headroom.log()}")
    return before


class Upgrade(Case):
    def test_under_load_no_request_fails_and_no_replica_restarts(self):
        headroom = self.service("--min", "3", "--max", "3", "--admin", "127.0.0.1:0")
        self.assertTrue(eventually(lambda: headroom.log().count("ready after") == 3))
        replicas, main = headroom.replicas(), headroom.pid
        load = self.load(headroom.url(), "--rate", "2000", "--duration", "8s")
        eventually(lambda: False, 1)
        for _ in range(3):
            before = upgrade(headroom)
            self.assertTrue(eventually(lambda: before.isdisjoint(headroom.workers())),
                            "the old worker ends when all is answered")
        result = load.result()
        self.assertEqual(result["failures"], 0, result)
        self.assertEqual(headroom.replicas(), replicas)
        self.assertEqual(headroom.pid, main)
        self.assertEqual(headroom.get()[0], 200)
        self.assertEqual(headroom.terminate(), 0)
        self.assertFalse([pid for pid in replicas if alive(pid)])

    def test_the_program_on_disk_is_what_goes_on(self):
        program = os.path.join(self.folder, "headroom")
        shutil.copy(HEADROOM, program)
        port = free_port()
        headroom = self.run_program(program, "--listen", f"127.0.0.1:{port}", "--output", "none",
                                    "--", SERVICE, "--port", "$(PORT)")
        headroom.wait_for("ready after")
        shutil.copy(HEADROOM, program + ".new")
        os.rename(program + ".new", program)
        running = os.readlink(f"/proc/{headroom.workers()[0]}/exe")
        self.assertTrue(running.endswith("(deleted)"), running)
        before = upgrade(headroom)
        self.assertTrue(eventually(lambda: before.isdisjoint(headroom.workers())))
        self.assertEqual(os.readlink(f"/proc/{headroom.workers()[0]}/exe"), program)
        # One that does not run: what ran goes on.
        os.rename(program, program + ".good")
        with open(program, "w") as file:
            file.write("#!/bin/sh\necho no such thing; exit 7\n")
        os.chmod(program, 0o755)
        workers, replicas = headroom.workers(), headroom.replicas()
        headroom.process.send_signal(signal.SIGUSR2)
        headroom.wait_for("ended before it was ready.*what ran goes on")
        headroom.wait_for(f"upgrade: {program} ended with status 7")
        self.assertEqual((headroom.workers(), headroom.replicas()), (workers, replicas))
        with open(program, "w") as file:
            file.write("neither a script nor a program\n")
        headroom.process.send_signal(signal.SIGUSR2)
        headroom.wait_for(f"upgrade: {program} cannot be started: Exec format error")
        self.assertTrue(eventually(lambda: headroom.log().count("what ran goes on") == 2))
        os.remove(program)
        headroom.process.send_signal(signal.SIGUSR2)
        headroom.wait_for("No such file or directory; what ran goes on")
        self.assertEqual(headroom.get(port=port)[0], 200)
        os.rename(program + ".good", program)
        upgrade(headroom)
        self.assertEqual(headroom.get(port=port)[0], 200)
        self.assertEqual(headroom.replicas(), replicas)

    def test_it_is_the_program_that_a_link_points_to_by_then(self):
        for version in ("v1", "v2"):
            os.mkdir(os.path.join(self.folder, version))
            shutil.copy(HEADROOM, os.path.join(self.folder, version, "headroom"))
        current = os.path.join(self.folder, "current")
        path = f"{current}:{os.environ['PATH']}"
        for called in (f"{current}/headroom", "current/headroom", "headroom"):
            os.symlink("v1", current)
            headroom = self.run_program(called, "--listen", "127.0.0.1:0", "--output", "none", "--",
                                        SERVICE, "--port", "$(PORT)", env={"PATH": path})
            headroom.wait_for("ready after")
            os.remove(current)
            os.symlink("v2", current)
            before = upgrade(headroom)
            headroom.wait_for(f"upgrade: starting {current}/headroom")
            self.assertTrue(eventually(lambda: before.isdisjoint(headroom.workers())))
            self.assertEqual(os.readlink(f"/proc/{headroom.workers()[0]}/exe"),
                             os.path.join(self.folder, "v2", "headroom"), called)
            self.assertEqual(headroom.terminate(), 0)
            os.remove(current)

    def test_a_signal_that_comes_before_anything_is_read_waits(self):
        path = os.path.join(self.folder, "app.yaml")
        os.mkfifo(path)  # who reads it waits for us
        headroom = self.run_headroom(path)
        eventually(lambda: False, 0.5)
        headroom.process.send_signal(signal.SIGHUP)
        headroom.process.send_signal(signal.SIGUSR1)
        for said in ("journal: ", "read again, nothing changed"):
            with open(path, "w") as file:
                file.write(harness.document(port=0, least=1))
            headroom.wait_for(said)

    def test_what_rotates_logs_ends_nothing(self):
        headroom = self.service("--min", "1")
        headroom.wait_for("ready after")
        replicas = headroom.replicas()
        for pid in (headroom.pid, headroom.workers()[0], headroom.pid):
            os.kill(pid, signal.SIGUSR1)
        headroom.wait_for("SIGUSR1: it means nothing here")
        self.assertEqual(headroom.get()[0], 200)
        self.assertEqual(headroom.replicas(), replicas)
        self.assertEqual(headroom.terminate(), 0)
        self.assertEqual(headroom.log().count("SIGUSR1"), 1)

    def test_another_while_the_old_one_still_answers_waits_for_its_end(self):
        headroom = self.service("--min", "1", service=("--wait", "3s"))
        headroom.wait_for("ready after")
        load = self.load(headroom.url(), "--closed", "1", "--requests", "1", "--timeout", "30s")
        eventually(lambda: False, 0.7)
        upgrade(headroom)
        for _ in range(2):
            headroom.process.send_signal(signal.SIGUSR2)
        headroom.wait_for("still answers; the upgrade waits for its end")
        done = eventually(lambda: headroom.log().count("taken over at an upgrade") == 2)
        self.assertTrue(done, headroom.log())
        self.assertEqual(load.result()["failures"], 0)
        self.assertTrue(eventually(lambda: len(headroom.workers()) == 1))
        self.assertEqual(headroom.get()[0], 200)
        self.assertEqual(headroom.log().count("upgrade: starting"), 2, headroom.log())

    def test_one_that_is_asked_for_at_the_start_waits_for_its_end(self):
        for number in (signal.SIGHUP, signal.SIGUSR2):
            headroom = self.service()
            while not headroom.workers() and not headroom.ended():
                pass
            headroom.process.send_signal(number)
            headroom.wait_for("ready after")
            headroom.wait_for("SIGHUP: there is no file" if number == signal.SIGHUP else
                              "taken over at an upgrade")
            self.assertEqual(headroom.terminate(), 0, headroom.log())

    def test_a_document_that_is_wrong_now_changes_nothing(self):
        good = harness.document(port=free_port(), least=1)
        path = self.write("app.yaml", good)
        headroom = self.run_headroom(path)
        headroom.wait_for("ready after")
        workers, replicas = headroom.workers(), headroom.replicas()
        self.write("app.yaml", good.replace("maxReplicas", "mostReplicas"))
        headroom.wait_for("what ran before goes on")
        headroom.process.send_signal(signal.SIGUSR2)
        headroom.wait_for("ended before it was ready.*what ran goes on")
        self.assertEqual((headroom.workers(), headroom.replicas()), (workers, replicas))
        self.assertEqual(headroom.get()[0], 200)
        self.assertTrue(headroom.explain())

    def test_a_successor_that_fails_late_has_taken_nothing(self):
        token = self.write("token", "0123456789abcdef\n")
        headroom = self.service("--min", "2", "--admin", "127.0.0.1:0", "--admin-token-file", token)
        self.assertTrue(eventually(lambda: headroom.log().count("ready after") == 2))
        workers, replicas = headroom.workers(), headroom.replicas()
        load = self.load(headroom.url(), "--rate", "500", "--duration", "5s")
        os.remove(token)
        for times in (1, 2):  # the first is in nobody's way
            headroom.process.send_signal(signal.SIGUSR2)
            done = eventually(lambda: headroom.log().count("did not start; what ran goes on") == times)
            self.assertTrue(done, headroom.log())
            self.assertTrue(eventually(lambda: headroom.workers() == workers))
        self.assertEqual(load.result()["failures"], 0)
        self.assertEqual(headroom.replicas(), replicas)
        self.write("token", "0123456789abcdef\n")
        upgrade(headroom)
        self.assertEqual(headroom.get()[0], 200)
        self.assertEqual(headroom.replicas(), replicas)

    def test_a_journal_that_neither_can_use_is_asked_for_less_and_less(self):
        headroom = self.service("--min", "1")
        headroom.wait_for("ready after")
        self.version_of_journal(headroom, 99)
        headroom.process.send_signal(signal.SIGUSR2)
        headroom.wait_for("did not start; what ran goes on")
        headroom.wait_for("another Headroom .*; decisions wait; the next try is in 4s")
        self.assertEqual(headroom.log().count("; decisions wait"), 3, headroom.log())
        self.version_of_journal(headroom, 3)
        headroom.wait_for("journal: writable again")
        upgrade(headroom)
        self.assertTrue(headroom.explain())
        self.assertNotIn("next try is in 8s", headroom.log())

    def version_of_journal(self, headroom, version):
        with contextlib.closing(sqlite3.connect(headroom.journal)) as journal:
            journal.execute(f"PRAGMA user_version = {version}")

    def test_a_request_that_waits_for_its_first_replica(self):
        headroom = self.service("--min", "0", "--max", "1", service=("--start-delay", "1500ms"))
        headroom.wait_for("listening on")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(headroom.get()[0]))
        asking.start()
        self.assertTrue(eventually(headroom.replicas))
        upgrade(headroom)
        asking.join(30)
        self.assertEqual(answers, [200], headroom.log())
        self.assertEqual(len(headroom.replicas()), 1)

    def test_a_connection_from_before_wakes_a_service_after(self):
        headroom = self.service("--min", "0", "--max", "1", "--cooldown", "1s", "--window", "6s")
        connection = http.client.HTTPConnection("127.0.0.1", headroom.port(), timeout=20)
        self.addCleanup(connection.close)
        connection.request("GET", "/")
        self.assertEqual(connection.getresponse().read() != b"", True)
        self.assertTrue(eventually(lambda: not headroom.replicas(), 30), headroom.log())
        upgrade(headroom)
        connection.request("GET", "/")  # the old worker has it, and no replica
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.getheader("Connection"), "close", "and is glad to be rid of it")

    def test_no_replica_is_stopped_while_the_old_one_has_a_request_on_it(self):
        port = free_port()
        path = self.write("app.yaml", harness.document(
            port=port, least=2, service=("--wait", "4s")))
        headroom = self.run_headroom(path)
        self.assertTrue(eventually(lambda: headroom.log().count("ready after") == 2))
        load = self.load(headroom.url(), "--closed", "8", "--requests", "8", "--timeout", "30s")
        eventually(lambda: False, 0.7)
        upgrade(headroom)
        self.assertEqual(Admin(headroom.journal).get("/readyz").json(),
                         {"ready": True, "reasons": []},
                         "the successor is asked: the old one alone takes nothing new")
        replicas = headroom.replicas()
        self.write("app.yaml", harness.document(
            port=port, least=1, most=1, service=("--wait", "4s")))
        headroom.wait_for("drains")
        self.assertEqual(headroom.replicas(), replicas, "it waits for the old one's answers")
        self.assertEqual(load.result()["failures"], 0, headroom.log())
        self.assertTrue(eventually(lambda: len(headroom.replicas()) == 1, 40), headroom.log())

    def test_kills_at_any_moment_of_it_leave_no_orphan(self):
        dice = random.Random(7)
        for victim in ("main", "old", "new"):
            for _ in range(4):
                headroom = self.service("--min", "2", "--max", "2")
                self.assertTrue(eventually(lambda: headroom.log().count("ready after") == 2))
                replicas, before = headroom.replicas(), headroom.workers()
                headroom.process.send_signal(signal.SIGUSR2)
                if victim == "new":
                    eventually(lambda: set(headroom.workers()) - set(before), 5, 0.0005)
                time.sleep(dice.random() * 0.03)
                new = set(headroom.workers()) - set(before)
                for pid in {"main": [headroom.pid], "old": before, "new": new}[victim]:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                # Either it goes on, with the same replicas, or all of it ends.
                eventually(lambda: False, 0.5)
                if headroom.ended():
                    self.assertTrue(eventually(lambda: not any(map(alive, replicas))),
                                    headroom.log())
                else:
                    self.assertEqual(headroom.get()[0], 200, headroom.log())
                    self.assertEqual(headroom.replicas(), replicas, headroom.log())
                    self.assertEqual(headroom.terminate(), 0)
                    self.assertFalse([pid for pid in replicas if alive(pid)], headroom.log())

    def test_a_signal_that_comes_in_the_middle_of_it_is_heeded(self):
        for pause in (0, 0.002, 0.005, 0.01, 0.02, 0.03):
            headroom = self.service("--min", "1")
            headroom.wait_for("ready after")
            headroom.process.send_signal(signal.SIGUSR2)
            time.sleep(pause)
            self.assertEqual(headroom.terminate(30), 0, headroom.log())

    def test_an_upgrade_while_it_stops_is_refused(self):
        headroom = self.service("--min", "1", service=("--wait", "2s"))
        headroom.wait_for("ready after")
        load = self.load(headroom.url(), "--closed", "1", "--requests", "1")
        eventually(lambda: False, 0.5)
        headroom.process.send_signal(signal.SIGTERM)
        headroom.wait_for("SIGTERM")
        headroom.process.send_signal(signal.SIGUSR2)
        headroom.wait_for("SIGUSR2: stopping")
        admin = Admin(headroom.journal)
        self.assertEqual(admin.get("/readyz").json(), {
            "ready": False, "reasons": ["stopping: no new requests are taken"]})
        self.assertEqual(admin.get("/healthz").status, 200, "the process answers")
        self.assertEqual(load.result()["failures"], 0)
        self.assertEqual(headroom.process.wait(20), 0)

    def test_output_events_and_the_api_go_on(self):
        headroom = self.run_headroom("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                                     "--", SERVICE, "--port", "$(PORT)")
        headroom.wait_for("ready after")
        admin = Admin(headroom.journal)
        self.assertEqual(admin.get("/api/v1/log").json(), {"level": "info"})
        self.assertEqual(admin.ask("PUT", "/api/v1/log", {"level": "debug"}).status, 200)
        upgrade(headroom)
        self.assertTrue(eventually(lambda: len(headroom.workers()) == 1))
        self.assertEqual(admin.get("/api/v1/log").json(), {"level": "debug"})
        status = self.ask(headroom, "status", "-o", "json")
        self.assertEqual(len(json.loads(status)), 1, status)
        self.assertIn("listening on", self.ask(headroom, "logs", "cpp-service"))
        os.kill(headroom.replicas()[0], signal.SIGKILL)
        headroom.wait_for("was killed by SIGKILL", 20)
        self.assertTrue(eventually(lambda: headroom.get()[0] == 200))
        self.assertIn("taken over", self.ask(headroom, "events"))

    def ask(self, headroom, verb, *arguments):
        out = subprocess.run([HEADROOM, verb, *arguments, "--journal", headroom.journal],
                             capture_output=True, text=True, timeout=30)
        self.assertEqual(out.returncode, 0, out.stderr)
        return out.stdout

    def run_program(self, program, *arguments, **options):
        """Another copy of the program than HEADROOM."""
        usual, harness.HEADROOM = harness.HEADROOM, program
        try:
            return self.run_headroom(*arguments, **options)
        finally:
            harness.HEADROOM = usual


class SocketActivation(Case):
    def listening(self):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        self.addCleanup(listener.close)
        return listener, listener.getsockname()[1]

    def start(self, sockets, *arguments):
        fds = [each.fileno() for each in sockets]
        return self.run_headroom(*arguments, pass_fds=fds,
                                 prefix=("python3", "-c", AS_A_MANAGER, ",".join(map(str, fds))))

    def test_requests_wait_in_the_managers_socket(self):
        listener, port = self.listening()
        admin, admin_port = self.listening()
        other, other_port = self.listening()
        early = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.addCleanup(early.close)
        early.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        headroom = self.start([listener, admin, other], "--listen", f"127.0.0.1:{port}", "--admin",
                              f"127.0.0.1:{admin_port}", "--output", "none", "--", SERVICE,
                              "--port", "$(PORT)")
        self.assertIn(b"200 OK", early.recv(4096), "it came before Headroom was there")
        headroom.wait_for(rf"socket activation: 127.0.0.1:{other_port}: no service")
        headroom.wait_for(rf"admin: http://127.0.0.1:{admin_port}")
        for variable in ("LISTEN_PID", "LISTEN_FDS"):
            with open(f"/proc/{headroom.replicas()[0]}/environ") as file:
                self.assertNotIn(variable, file.read(), "a replica must not take them for its own")
        upgrade(headroom)
        self.assertEqual(headroom.get(port=port)[0], 200)
        self.assertEqual(headroom.terminate(), 0)
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass  # the manager's socket takes connections while nobody runs

    def test_an_address_may_be_given_up_and_wanted_again(self):
        (first, port), (second, other) = self.listening(), self.listening()
        path = self.write("app.yaml", harness.document(port=port, least=1))
        headroom = self.start([first, second], path, "--admin", "none")
        headroom.wait_for("ready after")
        headroom.wait_for(f"socket activation: 127.0.0.1:{other}: .* waits until one has")
        early = socket.create_connection(("127.0.0.1", other), timeout=20)
        self.addCleanup(early.close)
        early.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for times, listen in ((1, other), (2, port), (3, other)):
            if times == 3:
                before = upgrade(headroom)
                self.assertTrue(eventually(lambda: before.isdisjoint(headroom.workers())))
            self.write("app.yaml", harness.document(port=listen, least=1))
            self.assertTrue(eventually(lambda: headroom.log().count("changed, taken") >= 2 * times),
                            headroom.log())
            self.assertEqual(self.status_of(listen), 200, headroom.log())
            if times == 1:
                self.assertIn(b"200 OK", early.recv(4096), "it waited until somebody listened")
        self.assertNotIn("in use", headroom.log())

    def status_of(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.addCleanup(connection.close)
        connection.request("GET", "/")
        return connection.getresponse().status

    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "no systemd here")
    def test_systemds_own_tool(self):
        port = free_port()
        headroom = self.run_headroom(
            "--listen", f"127.0.0.1:{port}", "--output", "none", "--", SERVICE, "--port",
            "$(PORT)", prefix=("systemd-socket-activate", "-l", f"127.0.0.1:{port}"))
        connection = eventually(lambda: self.connected(port))
        self.addCleanup(connection.close)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertIn(b"200 OK", connection.recv(4096), headroom.log())

    def connected(self, port):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except OSError:
            return None


if __name__ == "__main__":
    unittest.main(verbosity=2)
