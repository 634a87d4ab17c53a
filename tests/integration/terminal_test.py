"""The verbs that look at a running Headroom and tell it what to do."""

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import time
import unittest

import fcntl
import termios

from harness import HEADROOM, SERVICE, Case, document, eventually, free_port


class Verbs(Case):
    def call(self, *arguments, code=0):
        done = subprocess.run([HEADROOM, *arguments], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stderr

    def verb(self, headroom, *arguments, code=0):
        return self.call(*arguments, "--journal", headroom.journal, code=code)

    def status(self, headroom):
        return json.loads(self.verb(headroom, "status", "-o", "json"))[0]

    def ready(self, headroom, count):
        return eventually(lambda: self.status(headroom)["replicas"]["ready"] == count)

    def shop(self, *flags, **options):
        headroom = self.run_headroom("--admin", "none", "--name", "shop", "--listen", "127.0.0.1:0",
                                     "--output", "none", *flags, "--", SERVICE, "--port", "$(PORT)",
                                     **options)
        headroom.wait_for("admin: ")
        return headroom


class Terminal(Verbs):
    def test_status_says_what_runs_and_why(self):
        headroom = self.shop("--min", "2", "--max", "4")
        self.assertTrue(self.ready(headroom, 2))
        shop = self.status(headroom)
        self.assertEqual(shop["name"], "shop")
        self.assertEqual({each["pid"] for each in shop["instances"]}, set(headroom.replicas()))
        text = self.verb(headroom, "status", "shop")
        self.assertRegex(text, r"shop +2/2 +2\.\.4 ")
        self.assertIn("REPLICA", text)
        self.assertIn("shop: ", text)
        self.assertIn("name: shop", self.verb(headroom, "status", "-o", "yaml"))
        self.assertIn('no autoscaler "cart"', self.verb(headroom, "status", "cart", code=1))

    def test_a_pin_holds_shows_ends_and_outlasts_a_restart(self):
        headroom = self.shop("--min", "1", "--max", "4")
        self.assertTrue(self.ready(headroom, 1))
        self.assertIn("pinned at 3", self.verb(headroom, "scale", "shop", "3"))
        self.assertTrue(self.ready(headroom, 3))
        steps = headroom.explain("shop")[-1]["decision"]["steps"]
        self.assertEqual(steps[-1]["code"], "Pinned")
        as_yaml = self.verb(headroom, "explain", "shop", "--last", "2", "-o", "yaml")
        self.assertEqual(len(re.findall(r"(?m)^- id: \d+$", as_yaml)), 2)
        self.assertIn("code: Pinned\n", as_yaml)
        self.assertIn("more than its maximum of 4",
                      self.verb(headroom, "scale", "shop", "5", code=2))
        headroom.kill()  # with -9: the pin is in the journal
        again = self.shop("--min", "1", "--max", "4")
        self.assertTrue(self.ready(again, 3))
        self.assertEqual(self.status(again)["hold"]["replicas"], 3)
        self.verb(again, "resume", "shop")
        self.assertIsNone(self.status(again)["hold"])
        self.verb(again, "resume", "shop", code=1)
        self.verb(again, "scale", "shop", "2", "--for", "1s")
        self.assertTrue(eventually(lambda: self.status(again)["hold"] is None))
        self.verb(again, "pause", "shop", "--for", "soon", code=2)
        said = self.verb(again, "events", "--kind", "operator")
        for word in ("pinned at 3 until resumed", "resumed", "pinned at 2 for 1s"):
            self.assertIn(word, said)

    def test_a_pause_holds_under_load(self):
        headroom = self.shop("--min", "1", "--max", "4", "--concurrency", "2", "--window", "6s")
        self.assertTrue(self.ready(headroom, 1))
        self.assertIn("paused at 1", self.verb(headroom, "pause", "shop"))
        load = self.load(headroom.url() + "/?wait=50ms", "--closed", "16", "--requests", "400")
        self.assertEqual(load.result()["failures"], 0)
        self.assertEqual(self.status(headroom)["replicas"]["wanted"], 1)
        load = self.load(headroom.url() + "/?wait=50ms", "--closed", "16", "--requests", "4000")
        self.verb(headroom, "resume", "shop")
        self.assertTrue(eventually(lambda: self.status(headroom)["replicas"]["wanted"] > 1))
        self.assertEqual(load.result()["failures"], 0)

    def test_events_are_told_as_they_happen_and_after_the_end(self):
        headroom = self.shop("--min", "1", "--max", "3")
        self.assertTrue(self.ready(headroom, 1))
        watch = subprocess.Popen([HEADROOM, "events", "--watch", "-o", "json", "--journal",
                                  headroom.journal], stdout=subprocess.PIPE)
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        self.verb(headroom, "scale", "shop", "2")
        self.assertTrue(self.ready(headroom, 2))
        seen, until = b"", time.monotonic() + 30
        while time.monotonic() < until and "1 → 2".encode() not in seen:
            if select.select([watch.stdout], [], [], 1)[0]:
                seen += os.read(watch.stdout.fileno(), 65536)
        self.assertIn("1 → 2 replicas: pinned at 2", seen.decode())
        os.kill(headroom.replicas()[0], signal.SIGKILL)
        headroom.wait_for("exited|killed")
        self.assertEqual(headroom.terminate(), 0)
        told = json.loads(self.verb(headroom, "events", "-o", "json"))
        kinds = {event["kind"] for event in told}
        self.assertLessEqual({"rescale", "ready", "trouble", "operator"}, kinds)

    def test_logs_follow_what_replicas_write(self):
        script = 'echo "hello from $$"; printf "\\033[2Jboo\\n"; exec ' + SERVICE + ' --port "$PORT"'
        headroom = self.run_headroom("--admin", "none", "--name", "shop", "--listen", "127.0.0.1:0",
                                     "--output", "none", "--min", "2", "--", "/bin/sh", "-c", script)
        headroom.wait_for("admin: ")
        self.assertTrue(self.ready(headroom, 2))
        text = self.verb(headroom, "logs", "shop")
        self.assertRegex(text, r"1 \| hello from \d+")
        lines = json.loads(self.verb(headroom, "logs", "shop", "-o", "json"))
        self.assertEqual({line["replica"] for line in lines}, {1, 2})
        self.assertIn("hello from", lines[0]["line"])
        self.assertRegex(text, r"2 \| hello from \d+")
        one = self.verb(headroom, "logs", "shop", "--replica", "1")
        self.assertTrue(one.startswith("hello from "))
        self.assertIn("no replica 99", self.verb(headroom, "logs", "shop", "--replica", "99", code=1))
        follow = subprocess.Popen([HEADROOM, "logs", "shop", "-f", "--journal", headroom.journal],
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(follow.stdout.close)
        self.addCleanup(follow.wait)
        self.addCleanup(follow.kill)
        self.verb(headroom, "scale", "shop", "2")
        self.assertIn("hello", follow.stdout.readline())

    def test_nothing_runs(self):
        self.assertIn("admin.sock", self.call("status", "--journal", self.folder + "/journal.db",
                                              code=1))
        environment = {**os.environ, "XDG_STATE_HOME": self.folder}
        environment.pop("STATE_DIRECTORY", None)
        done = subprocess.run([HEADROOM, "status"], env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no running Headroom was found", done.stderr)

    def test_several_are_found_by_name(self):
        environment = {**os.environ, "XDG_STATE_HOME": self.folder}
        environment.pop("STATE_DIRECTORY", None)
        for name in ("one", "two"):
            headroom = self.run_headroom(
                "--admin", "none", "--name", name, "--listen", "127.0.0.1:0", "--output", "none",
                "--", SERVICE, "--port", "$(PORT)",
                journal=f"{self.folder}/headroom/{name}/journal.db")
            headroom.wait_for("admin: ")
        done = subprocess.run([HEADROOM, "status"], env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("one", done.stdout)
        self.assertIn("two", done.stdout)
        done = subprocess.run([HEADROOM, "scale", "two", "1"], env=environment, capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


class Top(Verbs):
    def window(self, descriptor, columns, rows):
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, descriptor, seconds):
        text, until = b"", time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([descriptor], [], [], 0.05)[0]:
                try:
                    text += os.read(descriptor, 65536)
                except OSError:
                    break
        return text.decode(errors="replace")

    def test_it_draws_resizes_and_gives_the_terminal_back(self):
        headroom = self.shop("--min", "2", "--max", "4")
        self.assertTrue(self.ready(headroom, 2))
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe(HEADROOM, [HEADROOM, "top", "--interval", "200ms", "--journal",
                                  headroom.journal], {**os.environ, "TERM": "xterm"})
        self.window(terminal, 80, 24)
        text = self.read(terminal, 2)
        self.assertIn("\x1b[?1049h", text)
        self.assertIn("2 of 2 replicas ready", text)
        self.assertIn("REPLICA", text)
        self.window(terminal, 40, 6)
        os.kill(pid, signal.SIGWINCH)
        self.read(terminal, 1)
        frame = self.read(terminal, 1).rsplit("\x1b[?2026h", 1)[-1]
        lines = frame.split("\r\n")
        self.assertLessEqual(len(lines), 6)
        os.write(terminal, b"q")
        rest = self.read(terminal, 1)
        self.assertTrue(rest.endswith("\x1b[?25h\x1b[?1049l"), repr(rest[-60:]))
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        os.close(terminal)

    def test_without_a_terminal_it_is_lines(self):
        headroom = self.shop("--min", "1", "--max", "4")
        self.assertTrue(self.ready(headroom, 1))
        top = subprocess.Popen([HEADROOM, "top", "--interval", "100ms", "--journal",
                                headroom.journal], stdout=subprocess.PIPE, text=True)
        lines = [top.stdout.readline() for _ in range(4)]
        top.kill()
        top.wait()
        top.stdout.close()
        self.assertNotIn("\x1b", "".join(lines))
        self.assertRegex(lines[1], r"^\d\d:\d\d:\d\d  shop +1/1 ")


class Daemon(Case):
    def test_it_tells_the_service_manager(self):
        import socket
        path = os.path.join(self.folder, "notify")
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(path)
        manager.settimeout(30)
        port = free_port()
        file = self.write("app.yaml", document(port=port, least=1, most=1))
        headroom = self.run_headroom("--admin", "none", "--log-format", "json", file,
                                     env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})

        def hears(what):
            until = time.monotonic() + 30
            heard = []
            while time.monotonic() < until:
                heard.append(manager.recv(4096).decode())
                if heard[-1].startswith(what):
                    return heard[-1]
            self.fail(f"no {what}: {heard}")

        hears("READY=1")
        hears("STATUS=1 autoscaler, 1 replica ready")
        hears("WATCHDOG=1")
        headroom.process.send_signal(signal.SIGHUP)
        hears("RELOADING=1\nMONOTONIC_USEC=")
        hears("READY=1")
        self.assertEqual(headroom.get(port=port)[0], 200)
        headroom.process.send_signal(signal.SIGTERM)
        # The drain, the grace period and 10 s more.
        self.assertEqual(hears("STOPPING=1"), "STOPPING=1\nEXTEND_TIMEOUT_USEC=70000000")
        self.assertEqual(hears("STATUS="), "STATUS=1 autoscaler, 1 replica ready; stopping")
        self.assertEqual(headroom.process.wait(60), 0)
        for line in headroom.log().splitlines():
            self.assertEqual(set(json.loads(line)), {"time", "level", "msg"}, line)


if __name__ == "__main__":
    unittest.main()
