#!/usr/bin/env python3
"""A request to a service at zero, beside the same service started by hand.

Each trial lets `headroom run --min 0` go back to zero, then sends one request and takes the time
to its answer; then starts the service by hand, sends a request every millisecond until it
answers, and takes that time from the start. What counts is the difference of the medians: what
holding, starting and releasing add to the service's own start-up.
"""

import json
import os
import socket
import sys
import time

import common

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def ask(port, timeout):
    """One request on a connection of its own; the status line, or OSError."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        s.sendall(REQUEST)
        answer = b""
        while piece := s.recv(65536):
            answer += piece
    if not answer:
        raise OSError("closed without an answer")
    return answer.split(b"\r\n", 1)[0].decode(errors="replace")


def replicas(pid, name):
    found = []
    for child in common.tree(pid)[1:]:
        try:
            with open(f"/proc/{child}/comm") as file:
                if file.read().strip() == name[:15]:
                    found.append(child)
        except OSError:
            pass
    return found


def wait_for_zero(headroom, name, timeout):
    end = time.monotonic() + timeout
    while replicas(headroom.child.pid, name):
        if time.monotonic() > end:
            raise RuntimeError(f"still not at zero after {timeout:.0f} s")
        time.sleep(0.02)
    time.sleep(0.1)  # what follows a replica's end (a record, a closed pidfd) is no part of it


def through_headroom(port):
    start = time.perf_counter()
    status = ask(port, timeout=30)
    took = time.perf_counter() - start
    if " 200 " not in status + " ":
        raise RuntimeError(f"headroom answered {status}")
    return took * 1000


def by_hand(command):
    port = common.free_port()
    process = common.Process([word.replace("$(PORT)", str(port)) for word in command])
    with process:
        polls = 0
        while True:
            try:
                ask(port, timeout=30)
                return (time.perf_counter() - process.started) * 1000
            except OSError:
                polls += 1
                next_poll = process.started + polls / 1000
                time.sleep(max(next_poll - time.perf_counter(), 0))


def parse():
    parser = common.arguments(__doc__)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--start-delay", default="0s", help="the service's own start-up")
    parser.add_argument("--cooldown", default="1s", help="headroom's, before it goes to zero")
    parser.add_argument("--window", default="6s", help="of the concurrency, likewise")
    parser.add_argument("--limit", type=float, default=10, help="what Headroom may add, in ms")
    return parser.parse_args()


def main():
    args = parse()
    service = common.program(args.build, "cpp-service")
    command = [service, "--port", "$(PORT)", "--start-delay", args.start_delay]
    held, alone = [], []
    with common.scratch_folder() as folder:
        port = common.free_port()
        log = os.path.join(folder, "headroom.log")
        headroom = common.Process(
            [common.program(args.build, "headroom"), "run", "--listen", f"127.0.0.1:{port}",
             "--min", "0", "--max", "1", "--concurrency", "10", "--cooldown", args.cooldown,
             "--window", args.window, "--journal", os.path.join(folder, "journal"), "--",
             *command], log=log)
        with headroom:
            try:
                common.wait_accept(port, alive=headroom.alive)
                for trial in range(args.trials):
                    wait_for_zero(headroom, os.path.basename(service), 120)
                    held.append(through_headroom(port))
                    alone.append(by_hand(command))
                    common.say(f"trial {trial + 1}/{args.trials}: through headroom "
                               f"{held[-1]:.1f} ms, by hand {alone[-1]:.1f} ms")
            except (RuntimeError, OSError) as error:
                with open(log, errors="replace") as file:
                    sys.exit(f"from_zero: {error}\n{file.read()[-2000:]}")
    added = common.median(held) - common.median(alone)
    good = added <= args.limit
    if args.output == "json":
        print(json.dumps({"held_ms": held, "alone_ms": alone, "added_ms": added, "met": good}))
    else:
        print(f"from zero, median of {args.trials}: {common.spread(held, '{:.1f}')} ms; by hand "
              f"{common.spread(alone, '{:.1f}')} ms; added {added:.1f} ms "
              f"(goal: at most {args.limit:.0f}) {'met' if good else 'MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
