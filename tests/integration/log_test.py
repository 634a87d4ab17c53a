"""The log: a reader that stands still, what replicas print, closed descriptors, fatal errors."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import threading
import time
import unittest

from harness import HEADROOM, SERVICE, Case, document, eventually, free_port

NOISY = f'( while :; do echo "some access log line $(date +%N)"; done ) & exec {SERVICE} --port $PORT'
# All bytes, an escape, and a line longer than any buffer.
ODD = ("import sys; out = sys.stdout.buffer; out.write(bytes(range(256)) + b'\\n\\x1b[31mred\\n'"
       " + b'x' * 300000 + b'\\nthe end\\n')")


class Reader:
    """A fifo for stderr, read until stop() as a pager would that gets SIGSTOP."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "log")
        os.mkfifo(self.path)
        self.end = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.text = b""
        self.reading = True
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while self.reading:
            if select.select([self.end], [], [], 0.1)[0]:
                self.text += os.read(self.end, 65536)

    def stop(self):
        self.reading = False
        self.thread.join()

    def full(self):
        """Whether the fifo takes no more."""
        end = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        try:
            return not select.select([], [end], [], 0)[1]
        finally:
            os.close(end)


class Log(Case):
    def start(self, *arguments, stderr, command=(SERVICE, "--port", "$(PORT)")):
        process = subprocess.Popen(
            [HEADROOM, "run", "--journal", self.folder + "/journal.db", "--name", "shop",
             "--listen", f"127.0.0.1:{self.port}", *arguments, "--", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def setUp(self):
        super().setUp()
        self.port = free_port()

    def get(self, port, path="/"):
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-m", "5", "-w", "%{http_code}",
                               f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True)
        return done.stdout

    def test_a_reader_that_stands_still_stops_nothing(self):
        for signals in (1, 2):
            with self.subTest(signals=signals):
                folder = os.path.join(self.folder, str(signals))
                os.mkdir(folder)
                reader, admin = Reader(folder), free_port()
                with open(reader.path, "wb") as to:
                    process = self.start("--admin", f"127.0.0.1:{admin}", stderr=to,
                                         command=("/bin/sh", "-c", NOISY))
                self.assertTrue(eventually(lambda: self.get(self.port) == "200"))
                reader.stop()
                self.assertTrue(eventually(reader.full))
                for _ in range(3):
                    process.send_signal(signal.SIGHUP)  # each says a line
                    time.sleep(0.3)
                    self.assertEqual(self.get(admin, "/readyz"), "200")
                    self.assertEqual(self.get(self.port), "200")
                process.send_signal(signal.SIGTERM)
                if signals == 2:
                    process.send_signal(signal.SIGTERM)
                # A signal may be merged into the one before: either end will do.
                self.assertIn(process.wait(20), (0, 143))
                os.close(reader.end)

    def test_one_that_is_slow_is_told_what_was_dropped(self):
        reader = Reader(self.folder)
        flood = f"yes a line that is printed & exec {SERVICE} --port $PORT"
        with open(reader.path, "wb") as to:
            process = self.start("--admin", "none", "--log-format", "json", stderr=to,
                                 command=("/bin/sh", "-c", flood))
        self.assertTrue(eventually(lambda: self.get(self.port) == "200"))
        reader.stop()
        time.sleep(2)
        reader.reading = True
        threading.Thread(target=reader.read, daemon=True).start()
        self.assertTrue(eventually(lambda: b"lines dropped: stderr takes them too slowly"
                                   in reader.text))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)
        self.assertTrue(eventually(lambda: b'"msg":"stopped"' in reader.text))
        reader.stop()
        for line in reader.text.splitlines():
            json.loads(line)

    def test_what_replicas_print_is_a_line_of_the_format(self):
        script = f'python3 -c "$0"; exec {SERVICE} --port "$PORT"'
        for kind in ("json", "logfmt", "text"):
            with self.subTest(kind=kind):
                path = os.path.join(self.folder, kind)
                with open(path, "wb") as to:
                    process = self.start("--admin", "none", "--log-format", kind, stderr=to,
                                         command=("/bin/sh", "-c", script, ODD))
                self.assertTrue(eventually(lambda: self.get(self.port) == "200"))
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(30), 0)
                with open(path, "rb") as log:
                    lines = log.read().split(b"\n")
                self.assertEqual(lines.pop(), b"")
                self.assertIn(b"stopped", lines[-1])
                getattr(self, "check_" + kind)(lines)

    def check_json(self, lines):
        all_ = [json.loads(line.decode()) for line in lines]  # UTF-8, all of it
        printed = [each for each in all_ if "replica" in each]
        self.assertEqual(set(printed[0]),
                         {"time", "level", "autoscaler", "replica", "stream", "msg"})
        self.assertIn("\x1b[31mred", [each["msg"] for each in printed])
        self.assertEqual(sum(each["msg"].count("x") for each in printed
                             if set(each["msg"]) == {"x"}), 300000)
        self.assertEqual({each["autoscaler"] for each in printed}, {"shop"})
        for each in all_:
            if "replica" not in each:
                self.assertEqual(set(each), {"time", "level", "msg"})

    def check_logfmt(self, lines):
        pair = r'\w+=("([^"\\]|\\.)*"|[^" ]+)'
        for line in lines:
            self.assertRegex(line.decode(), rf"^{pair}( {pair})*$")
        self.assertTrue(any(re.search(rb" autoscaler=shop replica=\d stream=stdout "
                                      rb'msg="the end"$', line) for line in lines))

    def check_text(self, lines):
        self.assertIn(b"shop/1 | \x1b[31mred", lines)  # into a pipe or a file as it came
        self.assertIn(b"shop/1 | the end", lines)

    def test_a_terminal_is_not_steered(self):
        ours, its = pty.openpty()
        process = self.start("--admin", "none", stderr=its,
                             command=("/bin/sh", "-c", f'printf "\\033[2J\\tboo\\n"; exec {SERVICE} '
                                      '--port "$PORT"'))
        os.close(its)
        text = b""
        while b"boo" not in text:
            self.assertTrue(select.select([ours], [], [], 30)[0], text)
            text += os.read(ours, 65536)
        self.assertIn(b"\\x1B[2J\tboo", text)
        self.assertNotIn(b"\x1b[2J", text)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)
        os.close(ours)

    def test_a_fatal_error_is_a_line_of_the_format(self):
        first = self.run_headroom("--admin", "none", self.write("app.yaml", document()))
        first.wait_for("journal: ")
        bad = self.write("bad.yaml", document(extra="  minReplica: 3"))
        for arguments, code, what in (
                ((self.folder + "/app.yaml",), 1, r"^journal: another Headroom"),
                ((bad,), 2, r"^\S*bad\.yaml:\d+:\d+: unknown field \"minReplica\""),
                (("--max", "-1", "--", "x"), 2, "maxReplicas")):
            with self.subTest(arguments=arguments):
                done = subprocess.run(
                    [HEADROOM, "run", "--log-format", "json", "--admin", "none", "--journal",
                     first.journal, *arguments], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, code, done.stderr)
                lines = [json.loads(line) for line in done.stderr.splitlines()]
                self.assertTrue(any(re.search(what, line["msg"]) for line in lines), done.stderr)
                self.assertEqual({line["level"] for line in lines}, {"error"})

    def test_closed_descriptors_are_filled(self):
        command = [HEADROOM, "run", "--journal", self.folder + "/journal.db", "--admin", "none",
                   "--listen", f"127.0.0.1:{self.port}", "--", SERVICE, "--port", "$(PORT)"]
        process = subprocess.Popen(["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertTrue(eventually(lambda: self.get(self.port) == "200"))
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            processes = [process.pid, *map(int, file.read().split())]
        for pid in processes:
            with open(f"/proc/{pid}/comm") as file:
                if not file.read().startswith("headroom"):
                    continue
            for fd in (0, 1, 2):
                self.assertEqual(os.readlink(f"/proc/{pid}/fd/{fd}"), "/dev/null")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)


if __name__ == "__main__":
    unittest.main()
