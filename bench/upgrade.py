#!/usr/bin/env python3
"""Upgrades of a running Headroom under load: how many requests fail, and how long nothing is decided?

Two replicas of the example service take 2,000 requests/s over keep-alive and new connections, while
Headroom hands over to itself again and again (SIGUSR2). Any failed request, or a replica that is not
the one of the beginning, ends it with 1.
"""

import json
import os
import signal
import sys
import threading
import time

import common

TAKEN = "taken over at an upgrade"


def children(headroom, ours):
    return [pid for pid in common.children(headroom.child.pid)
            if common.name_of(pid).startswith("headroom") == ours]


def count(log, text):
    with open(log, errors="replace") as file:
        return file.read().count(text)


def upgrade(headroom, log):
    """Seconds until the successor has all of it, and until the old one has answered all it had."""
    taken, before = count(log, TAKEN), set(children(headroom, True))
    start = time.monotonic()
    headroom.child.send_signal(signal.SIGUSR2)
    times = []
    for done in (lambda: count(log, TAKEN) > taken,
                 lambda: before.isdisjoint(children(headroom, True))):
        while not done():
            if time.monotonic() - start > 60:
                sys.exit("upgrade: it does not end; the log:\n" + open(log).read()[-2000:])
            time.sleep(0.002)
        times.append(time.monotonic() - start)
    return times


def run(args, folder):
    port, log = common.free_port(), os.path.join(folder, "headroom.log")
    command = [common.program(args.build, "headroom"), "run", "--journal",
               os.path.join(folder, "journal.db"), "--admin", "none", "--listen",
               f"127.0.0.1:{port}", "--min", "2", "--max", "2", "--output", "none", "--",
               common.program(args.build, "cpp-service"), "--port", "$(PORT)"]
    with common.Process(command, log=log) as headroom:
        common.wait_accept(port, alive=headroom.alive)
        time.sleep(0.5)
        replicas, answer = children(headroom, False), {}
        load = threading.Thread(target=lambda: answer.update(common.load(
            args.build, f"http://127.0.0.1:{port}", "--rate", str(args.rate), "--duration",
            f"{args.seconds}s", check=False)))
        load.start()
        time.sleep(1)
        times = []
        end = time.monotonic() + args.seconds - 3
        while time.monotonic() < end:
            times.append(upgrade(headroom, log))
            common.say(f"upgrade {len(times)}: taken over after {times[-1][0] * 1000:.0f} ms, the "
                       f"old one gone after {times[-1][1] * 1000:.0f} ms")
            time.sleep(args.pause)
        load.join()
        same = children(headroom, False) == replicas
    return {"upgrades": len(times), "requests": answer["total"]["sent"],
            "failures": answer["failures"], "same_replicas": same,
            "taken_ms": common.median([each[0] for each in times]) * 1000,
            "gone_ms": common.median([each[1] for each in times]) * 1000,
            "p99_us": answer["latency_us"]["p99"], "max_us": answer["latency_us"]["max"]}


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("--rate", type=int, default=2000, help="requests per second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--pause", type=float, default=1, help="seconds between two upgrades")
    args = parser.parse_args()
    with common.scratch_folder() as folder:
        result = run(args, folder)
    if args.output == "json":
        print(json.dumps(result))
    else:
        print("{upgrades} upgrades under {requests} requests: {failures} failed; taken over after "
              "{taken_ms:.0f} ms, the old one gone after {gone_ms:.0f} ms (medians); latency p99 "
              "{p99_us} us, at most {max_us} us".format(**result))
    sys.exit(0 if result["failures"] == 0 and result["same_replicas"] else 1)


if __name__ == "__main__":
    main()
