#!/usr/bin/env python3
"""No request lost: a million requests while everything around them changes.

A steady load (a tenth of it POST) runs through `headroom run` while the document is rewritten to
ask for 1, 6, 1, 0, 3 replicas, again and again, and a random replica is SIGKILLed now and then.
At zero the requests are held. The only ones that may fail are those that a replica was answering
when it was killed and that are not safe to repeat; they are counted apart. Exit 0 where that holds.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time

import common

# (replicas, seconds): the step to zero is short, because all that arrives meanwhile is held.
PHASES = [(1, 5), (6, 7), (1, 5), (0, 2), (3, 6)]

DOCUMENT = """\
apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: {{ name: soak }}
spec:
  target:
    process:
      command: ["{service}", --socket, $(SOCKET), --wait, 2ms]
      output: {{ to: none }}
  gateway:
    listen: "127.0.0.1:{port}"
    hold: {{ maxRequests: 20000, timeout: 30s }}
  minReplicas: {replicas}
  maxReplicas: {replicas}
"""


class Soak:
    def __init__(self, args, folder):
        self.args = args
        self.port = common.free_port()
        self.document = os.path.join(folder, "soak.yaml")
        self.log = os.path.join(folder, "headroom.log")
        self.write(1)
        self.headroom = common.Process(
            [common.program(args.build, "headroom"), "run", self.document, "--journal",
             os.path.join(folder, "journal.db")], log=self.log)
        self.kills = self.reloads = 0
        self.random = random.Random(args.seed)

    def write(self, replicas):
        """Replaced by a rename, as an editor does: Headroom never sees half of it."""
        with open(self.document + ".new", "w") as file:
            file.write(DOCUMENT.format(service=common.program(self.args.build, "cpp-service"),
                                       port=self.port, replicas=replicas))
        os.rename(self.document + ".new", self.document)

    def replicas(self):
        """The leaders of the replicas' groups, which are Headroom's own children."""
        found = []
        for pid in common.children(self.headroom.child.pid):
            try:
                with open(f"/proc/{pid}/comm") as file:
                    if file.read().startswith("cpp-service"):
                        found.append(pid)
            except OSError:
                pass
        return found

    def kill_one(self):
        victims = self.replicas()
        if not victims:
            return
        try:
            os.kill(self.random.choice(victims), signal.SIGKILL)
            self.kills += 1
        except ProcessLookupError:
            pass

    def start_load(self):
        return subprocess.Popen(
            [common.program(self.args.build, "headroom-load"), f"http://127.0.0.1:{self.port}/",
             "--rate", str(self.args.rate), "--duration", f"{self.args.seconds}s",
             "--connections", "7000", "--timeout", "30s", "--post-share", "0.1", "--post-path",
             "/echo", "--quiet", "-o", "json"], stdout=subprocess.PIPE, text=True)

    def disturb(self, load):
        """Until the load has ended: phases, kills, and a line for each round."""
        started, round_number = time.monotonic(), 0
        while load.poll() is None:
            round_number += 1
            for replicas, seconds in PHASES:
                self.write(replicas)
                self.reloads += 1
                until = time.monotonic() + seconds
                while time.monotonic() < until and load.poll() is None:
                    time.sleep(self.random.uniform(0.5, 2.0))
                    if replicas > 0:
                        self.kill_one()
            common.say(f"soak: {time.monotonic() - started:.0f} of {self.args.seconds} s, round "
                       f"{round_number}, {self.reloads} reloads, {self.kills} replicas killed")
        self.write(1)

    def run(self):
        with self.headroom:
            common.wait_accept(self.port, alive=self.headroom.alive)
            load = self.start_load()
            try:
                self.disturb(load)
            finally:
                load.poll() is None and load.kill()
            result = json.loads(load.communicate()[0])
            code = self.headroom.stop(60)
        result.update(kills=self.kills, reloads=self.reloads, exit=code)
        return result


def verdict(result):
    """What failed, apart: safe to repeat or not, and how."""
    allowed = {"reset_before_answer", "reset_in_answer", "short_answer"}
    safe, unsafe = result["idempotent"], result["not_idempotent"]
    lost_safe = {k: v for k, v in safe["failed"].items()
                 if v and k not in ("reset_in_answer", "short_answer")}
    cut_safe = sum(safe["failed"].get(k, 0) for k in ("reset_in_answer", "short_answer"))
    bad_status = {k: v for k, v in safe["status"].items() if k != "200"}
    killed = sum(v for k, v in unsafe["failed"].items() if k in allowed)
    killed += unsafe["status"].get("502", 0)
    other = {k: v for k, v in unsafe["failed"].items() if v and k not in allowed}
    other |= {k: v for k, v in unsafe["status"].items() if k not in ("200", "502")}
    return {"lost": sum((lost_safe | bad_status | other).values()),
            "lost_by_kind": lost_safe | bad_status | other,
            "killed_in_flight": killed, "cut_in_answer": cut_safe}


def parse():
    parser = common.arguments(__doc__)
    parser.add_argument("--seconds", type=int, default=450)
    parser.add_argument("--rate", type=int, default=2400, help="requests per second")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep-log", help="copy Headroom's log to this file")
    return parser.parse_args()


def main():
    args = parse()
    common.say(f"soak: {args.rate} requests/s for {args.seconds} s, seed {args.seed}")
    with common.scratch_folder() as folder:
        soak = Soak(args, folder)
        try:
            result = soak.run()
        except (RuntimeError, ValueError) as error:
            with open(soak.log, errors="replace") as file:
                sys.exit(f"soak: {error}\n{file.read()[-3000:]}")
        if args.keep_log:
            with open(soak.log) as source, open(args.keep_log, "w") as target:
                target.write(source.read())
    found = verdict(result)
    if args.output == "json":
        print(json.dumps(result | found))
    else:
        total = result["total"]
        print(f"{total['offered']} requests at {args.rate}/s through {result['reloads']} reloads "
              f"(1→6→1→0→3 replicas) and {result['kills']} SIGKILLs of replicas\n"
              f"  lost: {found['lost']} {found['lost_by_kind'] or ''}\n"
              f"  what the gateway said: {result['errors'] or 'nothing'}\n"
              f"  apart: {found['killed_in_flight']} POST that a replica was answering when it was "
              f"killed, {found['cut_in_answer']} answers cut off in the middle by that\n"
              f"  latency: p50 {result['latency_us']['p50'] / 1000:.1f} ms, p99 "
              f"{result['latency_us']['p99'] / 1000:.1f} ms (held at zero included)\n"
              f"  headroom ended with {result['exit']}: "
              f"{'held' if found['lost'] == 0 and result['exit'] == 0 else 'NOT HELD'}")
    return 0 if found["lost"] == 0 and result["exit"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
