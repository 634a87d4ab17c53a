"""The verbs that look at a running Headroom and tell it what to do."""

import json
import os
import pty
import re
import select
import signal
import socket
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

    def shop(self, *flags, name="shop", **options):
        headroom = self.run_headroom("--admin", "none", "--name", name, "--listen", "127.0.0.1:0",
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

    def test_status_goes_on_while_it_stops(self):
        slow = 'trap "sleep 2; exit 0" TERM; "$0" --port "$PORT" & wait; wait'
        headroom = self.run_headroom("--admin", "none", "--name", "shop", "--listen", "127.0.0.1:0",
                                     "--output", "none", "--", "sh", "-c", slow, SERVICE)
        headroom.wait_for("admin: ")
        self.assertTrue(self.ready(headroom, 1))
        headroom.process.send_signal(signal.SIGTERM)
        self.assertTrue(eventually(lambda: self.status(headroom)["replicas"]["draining"] == 1))
        status = self.status(headroom)
        self.assertEqual(status["replicas"]["ready"], 0)
        self.assertEqual(status["state"],
                         {"name": "stopping", "mood": "moving", "why": "1 replica left"})
        self.assertEqual(headroom.process.wait(30), 0)

    def test_it_stops_from_the_first_moment_on(self):
        headroom = self.shop("--min", "1")
        self.assertTrue(self.ready(headroom, 1))
        load = self.load(headroom.url() + "/?wait=6s", "--closed", "1", "--duration", "1s")
        self.assertTrue(eventually(lambda: self.status(headroom)["load"]["running"] == 1))
        headroom.process.send_signal(signal.SIGTERM)
        self.assertTrue(eventually(lambda: self.status(headroom)["state"]["name"] == "stopping"))
        self.assertEqual(self.status(headroom)["replicas"]["ready"], 1, "with a request open")
        self.assertEqual(load.result()["total"]["status"], {"200": 1})

    def test_a_request_that_fails_at_zero_shows(self):
        headroom = self.run_headroom("--admin", "none", self.write("shop.yaml", document(
            extra="").replace("gateway: { ", 'gateway: { hold: { timeout: "1s" }, ')))
        headroom.wait_for("admin: ")
        self.assertEqual(self.status(headroom)["state"]["name"], "asleep")
        self.verb(headroom, "scale", "shop", "0")
        self.assertEqual(headroom.get()[0], 503)
        self.assertTrue(eventually(lambda: self.status(headroom)["state"]["name"] == "failing", 10))
        self.assertEqual(self.status(headroom)["requests"]["failedRecently"], 1)
        self.assertIn("\nshop, failing (1 request failed in the last minute): ",
                      self.verb(headroom, "status"))

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
        self.assertEqual(self.verb(again, "resume", "shop", code=1),
                         "headroom: shop: nothing is held\n")
        self.verb(again, "scale", "shop", "2", "--for", "1s")
        self.assertTrue(eventually(lambda: self.status(again)["hold"] is None))
        self.verb(again, "pause", "shop", "--for", "soon", code=2)
        said = self.verb(again, "events", "--kind", "operator")
        for word in ("pinned at 3 until resumed", "resumed", "pinned at 2 for 1 s"):
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

    def test_one_that_never_gets_ready_fails_all_the_time(self):
        headroom = self.run_headroom("--admin", "none", "--name", "shop", "--listen", "127.0.0.1:0",
                                     "--output", "none", "--min", "1", "--", "sleep", "0.3")
        headroom.wait_for("admin: ")

        def state():
            return self.verb(headroom, "status").splitlines()[1].split()[-1]

        self.assertTrue(eventually(lambda: state() == "crashing"))
        until, states = time.monotonic() + 5, set()
        while time.monotonic() < until:
            states.add(state())
        self.assertEqual(states, {"crashing"}, "while it starts again, too")

    def test_names_of_events_are_under_each_other(self):
        headroom = self.run_headroom("--admin", "none", self.write("two.yaml", "---\n".join(
            document(name, port=free_port(), least=1, most=1) for name in ("shop", "checkout"))))
        headroom.wait_for("admin: ")
        self.assertTrue(eventually(lambda: sum(
            each["replicas"]["ready"] for each in json.loads(
                self.verb(headroom, "status", "-o", "json"))) == 2))
        said = self.verb(headroom, "events")
        self.assertEqual({name: rest for name, rest in re.findall(r"  (shop|checkout)( +)", said)},
                         {"shop": " " * 6, "checkout": "  "})

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

    def test_logs_have_the_last_words(self):
        script = ('trap \'echo "LAST WORDS"; exit\' TERM; echo begun; ' + SERVICE +
                  ' --port "$PORT" >/dev/null 2>&1 & wait')
        headroom = self.run_headroom("--admin", "none", "--name", "shop", "--listen", "127.0.0.1:0",
                                     "--output", "none", "--min", "0", "--", "/bin/sh", "-c", script)
        headroom.wait_for("admin: ")

        def logs(*flags):
            return subprocess.Popen([HEADROOM, "logs", "shop", *flags, "--journal",
                                     headroom.journal], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)

        self.verb(headroom, "scale", "shop", "2")
        self.assertTrue(self.ready(headroom, 2))
        one, everything = logs("--replica", "2", "-f"), logs("-f")
        self.addCleanup(everything.communicate)
        self.addCleanup(everything.kill)
        for each in one, everything:
            self.assertIn("begun", each.stdout.readline())
        self.assertIn("begun", everything.stdout.readline())
        self.verb(headroom, "scale", "shop", "0")
        self.assertEqual(one.communicate(timeout=60),
                         ("LAST WORDS\n", "headroom: replica 2 is gone\n"))
        self.assertEqual(one.returncode, 0)
        self.assertEqual({everything.stdout.readline() for _ in range(2)},
                         {"1 | LAST WORDS\n", "2 | LAST WORDS\n"})
        late = logs("--replica", "1")
        self.assertEqual(late.communicate(timeout=60),
                         ("begun\nLAST WORDS\n", "headroom: replica 1 is gone\n"))
        self.assertTrue(eventually(lambda: not self.status(headroom)["instances"]))
        none = logs()
        self.assertEqual(none.communicate(timeout=60), (
            "", "headroom: no replica of shop runs; headroom events shop says what happened\n"))
        self.assertEqual(none.returncode, 0)

    def test_explain_says_where_the_journal_begins(self):
        headroom = self.shop("--min", "1")
        self.assertTrue(self.ready(headroom, 1))
        first = headroom.explain("shop", "--last", "100")[0]
        again = headroom.explain("shop", "--last", "100", "--at", first["time"])
        self.assertEqual([each["id"] for each in again], [first["id"]])
        self.assertRegex(self.verb(headroom, "explain", "shop", "--at", "2024-05-01 14:05", code=1),
                         r"shop: no decision in the journal at or before 2024-05-01 14:05; "
                         r"it begins at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n")

    def test_explain_says_of_a_replica_that_it_crashes(self):
        headroom = self.run_headroom("--admin", "none", "--name", "broken", "--listen", "127.0.0.1:0",
                                     "--output", "none", "--", "sh", "-c", "exit 3")
        headroom.wait_for("admin: ")
        self.assertTrue(eventually(lambda: re.search(
            r"replica \d+: not ready for [\d.]+ s, after [2-9] failures in a row, cpu ",
            self.verb(headroom, "explain", "broken"))))

    def test_nothing_runs(self):
        self.assertIn(f"no Headroom runs with the journal {self.folder}/journal.db",
                      self.call("status", "--journal", self.folder + "/journal.db", code=1))
        environment = {**os.environ, "XDG_STATE_HOME": self.folder}
        environment.pop("STATE_DIRECTORY", None)
        done = subprocess.run([HEADROOM, "status"], env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no running Headroom was found", done.stderr)

    def test_several_are_found_by_name(self):
        environment = {**os.environ, "XDG_STATE_HOME": self.folder}
        environment.pop("STATE_DIRECTORY", None)
        running = {name: self.shop(name=name, journal=f"{self.folder}/headroom/{name}/journal.db")
                   for name in ("one", "two")}
        done = subprocess.run([HEADROOM, "status"], env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("one", done.stdout)
        self.assertIn("two", done.stdout)
        for name, other in (("one", "two"), ("two", "one")):
            worker, = running[other].workers()
            os.kill(worker, signal.SIGSTOP)  # one that hangs does not matter, and is not forgotten
            told, of_all, of_it = (
                subprocess.run([HEADROOM, *verb], env=environment, capture_output=True, text=True)
                for verb in (["scale", name, "1"], ["status"], ["status", other]))
            os.kill(worker, signal.SIGCONT)
            self.assertEqual(told.returncode, 0, told.stderr)
            hangs = f"{self.folder}/headroom/{other}/admin.sock: no answer within 2s\n"
            self.assertEqual((of_all.returncode, of_all.stderr), (1, "headroom: " + hangs))
            self.assertRegex(of_all.stdout, rf"(?m)^{name} ")
            self.assertEqual((of_it.returncode, of_it.stderr),
                             (1, f'headroom: no running Headroom has "{other}"; ' + hangs))

    def test_of_two_of_one_name_none_is_taken(self):
        environment = {**os.environ, "XDG_STATE_HOME": self.folder}
        environment.pop("STATE_DIRECTORY", None)
        journals = [f"{self.folder}/headroom/{folder}/journal.db" for folder in ("a", "b")]
        for journal in journals:
            self.shop(name="shop", journal=journal)
        for verb in ("scale", "shop", "1"), ("logs", "shop"), ("explain", "shop"), ("events", "shop"):
            done = subprocess.run([HEADROOM, *verb], env=environment, capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, verb)
            self.assertIn('which one? Several run "shop". Say --journal: ', done.stderr)
            for journal in journals:
                self.assertIn(journal, done.stderr)

    def test_the_times_without_headroom_are_told(self):
        headroom = self.shop("--min", "1")
        self.assertTrue(self.ready(headroom, 1))
        os.kill(headroom.workers()[0], signal.SIGKILL)  # who writes the journal
        headroom.process.wait(30)
        time.sleep(1.5)
        dead = time.strftime("%Y-%m-%d %H:%M:%S")
        time.sleep(1.5)
        again = self.shop("--min", "1")
        self.assertTrue(self.ready(again, 1))
        self.assertRegex(self.verb(again, "explain", "shop", "--at", dead),
                         r"\nnothing was decided in the [\d.]+ s up to then: it did not run, or "
                         r"hung; started again at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$")
        self.assertNotIn("nothing was decided", self.verb(again, "explain", "shop"))
        self.assertEqual(again.terminate(), 0)
        self.assertRegex(self.verb(again, "explain", "shop"),
                         r"\nit did not run then: stopped at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$")
        told = [event["text"] for event in
                json.loads(self.verb(again, "events", "--kind", "policy", "-o", "json"))]
        self.assertEqual(told, [
            "started with 1 replica",
            "started with 1 replica, as the journal says; the Headroom before did not stop: it was "
            "killed, or crashed", "stops: Headroom ends", "stopped"])

    def test_what_was_late_or_failed_is_so_in_the_next_life(self):
        flags = ("--min", "1", "--objective", "50ms@p99")
        headroom = self.shop(*flags)
        self.assertTrue(self.ready(headroom, 1))
        for _ in range(10):
            self.assertEqual(headroom.get("/?wait=80ms")[0], 200)
        self.assertEqual(headroom.get("/")[0], 200)

        def late(running):
            shop = self.status(running)
            return shop["state"]["name"], shop["objective"]["recent"]["requests"]

        self.assertTrue(eventually(lambda: late(headroom) == ("late", 11)))
        headroom.process.send_signal(signal.SIGUSR2)
        self.assertTrue(eventually(lambda: "taken over at an upgrade" in headroom.log()))
        self.assertTrue(eventually(lambda: late(headroom) == ("late", 11)), late(headroom))
        self.assertEqual(headroom.terminate(), 0)
        again = self.shop(*flags)
        self.assertTrue(eventually(lambda: late(again) == ("late", 11)), late(again))

    def test_what_cannot_be_printed_is_said(self):
        headroom = self.shop()
        self.assertTrue(self.ready(headroom, 1))
        of_it = ("--journal", headroom.journal)
        for verb in (("status", *of_it), ("status", *of_it, "-o", "json"), ("events", *of_it),
                     ("explain", *of_it, "-o", "json"), ("logs", "shop", *of_it), ("schema",),
                     ("completion", "bash"), ("man",), ("--help",), ("version",)):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([HEADROOM, *verb], stdout=full, stderr=subprocess.PIPE,
                                      text=True)
            self.assertEqual((done.returncode, done.stderr),
                             (1, "headroom: not all of it could be printed: No space left on "
                                 "device\n"), verb)

    def test_the_past_is_that_of_who_has_the_name_now(self):
        environment = {**os.environ, "XDG_STATE_HOME": self.folder}
        environment.pop("STATE_DIRECTORY", None)

        def journal(name):
            return f"{self.folder}/headroom/{name}/journal.db"

        def told(*arguments):
            done = subprocess.run([HEADROOM, *arguments, "-o", "json"], env=environment,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)

        dead = self.run_headroom("--admin", "none", "--name", "stale", "--listen", "127.0.0.1:0",
                                 "--output", "none", "--min", "1", "--", SERVICE, "--port",
                                 "$(PORT)", journal=journal("stale"))
        dead.wait_for("admin: ")
        self.assertTrue(self.ready(dead, 1))
        self.assertEqual(dead.terminate(), 0)
        self.assertEqual(told("explain", "stale")[0]["decision"]["replicas"], 1)

        file = self.write("multi.yaml", document("first") + "---\n" + document("stale", least=3))
        multi = self.run_headroom("--admin", "none", file, journal=journal("first"))
        multi.wait_for("admin: ")
        for runs in True, False:
            self.assertTrue(eventually(
                lambda: told("explain", "stale")[0]["decision"]["replicas"] == 3))
            self.assertTrue(eventually(
                lambda: len(told("events", "stale", "--kind", "ready")) == 3))
            if runs:
                self.assertEqual(multi.terminate(), 0)


class Top(Verbs):
    def window(self, descriptor, columns, rows):
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, descriptor, seconds, seen=None):
        """What comes within that time, or until that is in it."""
        text, until = b"", time.monotonic() + seconds
        while time.monotonic() < until and (seen is None or seen.encode() not in text):
            if select.select([descriptor], [], [], 0.05)[0]:
                try:
                    text += os.read(descriptor, 65536)
                except OSError:
                    break
        return text.decode(errors="replace")

    def on_terminal(self, *arguments, verb="top", columns=80, rows=24, **environment):
        """On a terminal of its own: (its process id, the terminal)."""
        often = ["--interval", "200ms"] if verb == "top" else []
        pid, terminal = pty.fork()
        if pid == 0:
            self.window(0, columns, rows)
            os.execvpe(HEADROOM, [HEADROOM, verb, *often, *arguments],
                       {**os.environ, "TERM": "xterm", **environment})
        self.addCleanup(os.close, terminal)
        return pid, terminal

    def lines(self, terminal, seen=""):
        """Those of the newest page, once that is on it."""
        found = eventually(lambda: self.page(terminal, seen), pause=0)
        self.assertTrue(found, f"no {seen}")
        return found

    def page(self, terminal, seen):
        frames = [frame.split("\x1b[?2026l")[0] for frame in
                  self.read(terminal, 0.7).split("\x1b[?2026h")[1:] if "\x1b[?2026l" in frame]
        if not frames or not re.search(seen, frames[-1]):
            return None
        return re.split(r"\r+\n", re.sub(r"\x1b\[\??\d*[a-zA-Z]", "", frames[-1]))

    def ends(self, pid, terminal, code=0):
        rest = self.read(terminal, 10, "\x1b[?1049l")
        self.assertIn("\x1b[?25h\x1b[?1049l", rest)
        rest += self.read(terminal, 0.5)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), code)
        return rest

    def test_it_draws_resizes_and_gives_the_terminal_back(self):
        headroom = self.shop("--min", "2", "--max", "4")
        self.assertTrue(self.ready(headroom, 2))
        pid, terminal = self.on_terminal("--journal", headroom.journal)
        text = self.read(terminal, 2)
        self.assertIn("\x1b[?1049h", text)
        self.assertIn("2 of 2 replicas ready", text)
        self.assertIn("REPLICA", text)
        self.window(terminal, 40, 6)
        os.kill(pid, signal.SIGWINCH)
        self.read(terminal, 1)
        self.assertLessEqual(len(self.lines(terminal)), 6)
        os.write(terminal, b"q")
        self.assertTrue(self.ends(pid, terminal).endswith("\x1b[?25h\x1b[?1049l"))

    def test_a_document_that_is_refused_is_said(self):
        shop = document(least=1)
        headroom = self.run_headroom("--admin", "none", self.write("shop.yaml", shop))
        headroom.wait_for("admin: ")

        def said(*flags):
            done = subprocess.run([HEADROOM, "status", *flags, "--journal", headroom.journal],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stderr

        self.assertEqual(said(), "")
        self.write("shop.yaml", shop.replace("minReplicas", "minReplica"))
        refused = r'^headroom: the document is refused, what ran before goes on: .*/shop\.yaml:\d+:3: '
        self.assertTrue(eventually(lambda: re.search(refused, said())))
        self.assertRegex(said("-o", "json"), refused)
        with socket.create_server(("127.0.0.1", 0)) as taken:  # right, but it cannot be applied
            self.write("shop.yaml", document(least=1, port=taken.getsockname()[1]))
            self.assertTrue(eventually(lambda: "goes on: shop: gateway.listen: " in said()))
        _, terminal = self.on_terminal("--journal", headroom.journal)
        self.assertRegex(self.lines(terminal, "document")[1],
                         "^the document is refused, what ran before goes on: ")
        self.write("shop.yaml", shop)
        self.assertTrue(eventually(lambda: said() == ""))

    def test_what_matters_is_on_eighty_columns(self):
        headroom = self.shop("--min", "1", "--max", "1", "--concurrency", "2", "--objective",
                             "1ms@p99", name="checkout-eu-west-orders")
        self.assertTrue(self.ready(headroom, 1))
        self.load(headroom.url() + "/?wait=1100ms", "--closed", "6", "--duration", "600s")
        _, terminal = self.on_terminal("--journal", headroom.journal)
        lines = self.lines(terminal, "at its limit.*missed")
        self.assertRegex(lines[2], "^NAME .* STATE +OBJECTIVE$")
        self.assertRegex(lines[3], r"^checkout-eu-w.*… +1/1 .* of 1\.4 .* at its limit +0\.00% missed$")
        self.assertLessEqual(max(len(line) for line in lines), 80)
        self.assertNotIn("…", "".join(lines[4:9]), "reasons go on on the next line")

    def test_status_is_no_wider_than_its_window(self):
        headroom = self.shop("--min", "1", "--max", "1", name="checkout-eu-west-orders")
        self.assertTrue(self.ready(headroom, 1))
        _, terminal = self.on_terminal("--journal", headroom.journal, verb="status", columns=60)
        head, line = self.read(terminal, 30, "REPLICA").splitlines()[:2]
        self.assertRegex(head, "^NAME +READY .*STATE$")
        self.assertRegex(line, "^checkout-eu.*… +1/1 .*(steady|waking)$")
        self.assertLessEqual(len(line), 60)
        whole = self.verb(headroom, "status").splitlines()[1]
        self.assertRegex(whole, "^checkout-eu-west-orders +1/1 +1..1 .* MiB ")

    def test_only_what_means_the_end_ends_it(self):
        headroom = self.shop()
        for end in (b"\x1b[Bq", b"\x1b", b"\x03"):
            pid, terminal = self.on_terminal("--journal", headroom.journal)
            self.lines(terminal)
            for key in (b"\x1b[B", b"\x1bOA", b"\x1b[1;5C", b"x"):
                os.write(terminal, key)
            self.lines(terminal)
            os.write(terminal, end)
            self.ends(pid, terminal)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            pid, terminal = self.on_terminal("--journal", headroom.journal)
            self.lines(terminal)
            os.kill(pid, number)
            self.ends(pid, terminal)

    def test_it_stops_and_goes_on_as_a_shell_has_it(self):
        headroom = self.shop()
        report, told = os.pipe()
        self.addCleanup(os.close, report)
        self.addCleanup(os.close, told)
        shell, terminal = pty.fork()
        if shell == 0:
            self.be_a_shell(headroom.journal, told)
        self.addCleanup(os.close, terminal)
        self.lines(terminal)
        self.assertFalse(termios.tcgetattr(terminal)[3] & termios.ICANON)
        for _ in range(2):
            os.write(terminal, b"\x1a")
            self.assertIn("\x1b[?25h\x1b[?1049l", self.read(terminal, 10, "\x1b[?1049l"))
            self.assertEqual(os.read(report, 1), b"s")  # stopped
            self.assertTrue(termios.tcgetattr(terminal)[3] & termios.ICANON)
            os.write(terminal, b"fg\n")
            self.assertIn("\x1b[?1049h\x1b[?25l", self.read(terminal, 10, "\x1b[?25l"))
            self.lines(terminal)
        os.write(terminal, b"q")
        self.ends(shell, terminal)

    def be_a_shell(self, journal, told):
        """Runs top in front, says when it has stopped, and lets it go on after a line."""
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        job = os.fork()
        if job == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.execve(HEADROOM, [HEADROOM, "top", "--interval", "200ms", "--journal", journal],
                      {**os.environ, "TERM": "xterm"})
        while True:
            _, status = os.waitpid(job, os.WUNTRACED)
            os.tcsetpgrp(0, os.getpgrp())
            if not os.WIFSTOPPED(status):
                os._exit(os.waitstatus_to_exitcode(status))
            os.write(told, b"s")
            os.read(0, 100)
            os.tcsetpgrp(0, job)
            os.kill(job, signal.SIGCONT)

    def test_those_that_start_and_end_meanwhile(self):
        def run(name):
            headroom = self.shop(name=name,
                                 journal=f"{self.folder}/headroom/{name}/journal.db")
            self.assertTrue(self.ready(headroom, 1))
            return headroom

        one, two = run("one"), run("two")
        pid, terminal = self.on_terminal(XDG_STATE_HOME=self.folder, STATE_DIRECTORY="")
        lines = self.lines(terminal, "2 autoscalers")
        self.assertEqual([line.split()[0] for line in lines[3:5]], ["one", "two"])
        self.assertEqual(one.terminate(), 0)
        self.assertTrue(self.lines(terminal, "1 autoscaler,")[3].startswith("two "))
        third = run("a-third")
        lines = self.lines(terminal, "2 autoscalers")
        self.assertEqual([line.split()[0] for line in lines[3:5]], ["a-third", "two"])
        self.assertEqual(two.terminate(), 0)
        self.assertEqual(third.terminate(), 0)
        self.assertIn("Headroom has ended", self.ends(pid, terminal, code=1))

    def test_without_a_terminal_it_is_lines(self):
        headroom = self.shop("--min", "1", "--max", "4")
        self.assertTrue(self.ready(headroom, 1))
        top = subprocess.Popen([HEADROOM, "top", "shop", "--interval", "100ms", "--journal",
                                headroom.journal], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
        self.addCleanup(top.kill)
        lines = [top.stdout.readline() for _ in range(4)]
        self.verb(headroom, "scale", "shop", "3")
        while "3/3" not in lines[-1]:
            lines.append(top.stdout.readline())
            self.assertTrue(lines[-1])
        self.assertNotIn("\x1b", "".join(lines))
        self.assertRegex(lines[0], r"^TIME +NAME +READY ")
        self.assertRegex(lines[1], r"^\d\d:\d\d:\d\d  shop +1/1 ")
        self.assertEqual(sum("NAME" in line for line in lines), 1, "the heads, once")
        rows = [line for line in lines[1:] if re.search(r"shop +\d/\d ", line)]
        self.assertEqual({line.index("..") for line in rows}, {rows[0].index("..")})
        told = [line for line in lines if "1 → 3 replicas: pinned at 3" in line]
        self.assertEqual(len(told), 1, lines)
        self.assertRegex(told[0], r"^\d\d:\d\d:\d\d  shop +1 → 3 ")
        self.assertEqual(headroom.terminate(), 0)
        _, error = top.communicate(timeout=30)
        self.assertEqual(top.returncode, 1)
        self.assertIn(f"the Headroom of {headroom.journal} has ended", error)

    def test_a_terminal_that_cannot_be_drawn_on_gets_lines(self):
        headroom = self.shop()
        for term in ("dumb", ""):
            pid, terminal = self.on_terminal("--journal", headroom.journal, TERM=term)
            text = self.read(terminal, 10, "READY")
            self.assertIn("TIME ", text)
            self.assertNotIn("\x1b", text)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


class Daemon(Case):
    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.address = os.path.join(self.folder, "notify")
        self.manager.bind(self.address)
        self.manager.settimeout(30)

    def hears(self, what):
        until = time.monotonic() + 30
        heard = []
        while time.monotonic() < until:
            heard.append(self.manager.recv(4096).decode())
            if heard[-1].startswith(what):
                return heard[-1]
        self.fail(f"no {what}: {heard}")

    def start(self, *documents):
        return self.run_headroom("--admin", "none", "--log-format", "json",
                                 self.write("app.yaml", "---\n".join(documents)),
                                 env={"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": "400000"})

    def test_it_tells_the_service_manager(self):
        port = free_port()
        headroom = self.start(document(port=port, least=1, most=1))
        self.hears("READY=1")
        self.hears("STATUS=1 autoscaler, 1 replica ready")
        self.hears("WATCHDOG=1")
        headroom.process.send_signal(signal.SIGHUP)
        self.hears("RELOADING=1\nMONOTONIC_USEC=")
        self.hears("READY=1")
        self.assertEqual(headroom.get(port=port)[0], 200)
        headroom.process.send_signal(signal.SIGTERM)
        # The drain, the grace period and 10 s more.
        self.assertEqual(self.hears("STOPPING=1"), "STOPPING=1\nEXTEND_TIMEOUT_USEC=70000000")
        self.assertEqual(self.hears("STATUS="), "STATUS=1 autoscaler, 1 replica ready; stopping")
        self.assertEqual(headroom.process.wait(60), 0)
        for line in headroom.log().splitlines():
            self.assertEqual(set(json.loads(line)), {"time", "level", "msg"}, line)

    def test_what_ends_slowly_has_its_time_though_it_is_no_longer_in_the_document(self):
        shop = document(port=free_port(), least=1, most=1)
        slow = document(name="slow", port=free_port(), least=1, most=1,
                        probe="      terminationGracePeriodSeconds: 100").replace(
                            f"[{json.dumps(SERVICE)}, --port, $(PORT)]",
                            """[sh, -c, "trap '' TERM; while :; do sleep 1; done"]""")
        headroom = self.start(shop, slow)
        self.hears("STATUS=2 autoscalers, 1 replica ready")
        self.write("app.yaml", shop)
        self.hears("STATUS=1 autoscaler, 1 replica ready")
        headroom.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.hears("STOPPING=1"), "STOPPING=1\nEXTEND_TIMEOUT_USEC=140000000")


if __name__ == "__main__":
    unittest.main()
