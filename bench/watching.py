#!/usr/bin/env python3
"""What it costs to be watched: CPU time per request of `headroom run` with five dashboards open,
/metrics scraped each second and 1 % of the requests traced, beside nothing of it, interleaved.

Headroom on CPU 0; its replica, the load driver and those who watch (with a collector, which reads
and forgets) on CPU 1. Two regimes: saturated (64 keep-alive connections, each sends its next request
when it has its answer) and 2,000 requests/s. CPU time is of all of Headroom's threads, its replica's
not.

What is looked for is smaller than the noise of one measurement. So each round starts all of them
anew (where a process lies in memory is worth some percent), and measures each several times, in
turns. Printed are the median of the ratios to the unwatched one measured beside it, and the interval
in which it lies with 95 % confidence (bootstrapped).

The noise is that of the gateway's threads. What watching costs them is therefore measured tenfold
(50 dashboards, ten scrapes a second, 10 % traced) and divided by ten, and its noise with it; what it
costs the other threads is seen as it is. The sum is what counts, at 2,000 requests/s.
"""

import http.client
import json
import os
import random
import re
import signal
import socket
import sys
import threading
import time

import common

OUR_CPU, OTHER_CPU = 0, 1
CONNECTIONS = 64
GOAL = 1.03
TENFOLD = 10

# name: (the share of requests that is traced, dashboards open, seconds between two scrapes)
VARIANTS = {
    "unwatched": (None, 0, None),
    "watched": ("1%", 5, 1),
    "watched tenfold": ("10%", 5 * TENFOLD, 1 / TENFOLD),
}


def beside_headroom(thread=0):
    """Puts a thread (0: the calling one, and those it will start) where Headroom is not."""
    os.sched_setaffinity(thread, {OTHER_CPU} & os.sched_getaffinity(0) or os.sched_getaffinity(0))


class Collector:
    """Reads requests and answers 200 to each."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.bytes = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        beside_headroom()
        while True:
            connection = self.listener.accept()[0]
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile("rb", buffering=1 << 20)
        while True:
            length = 0
            for line in iter(stream.readline, b"\r\n"):
                if not line:
                    return
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            self.bytes += len(stream.read(length))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


class Watched:
    """One Headroom, and those that watch it."""

    def __init__(self, name, args, folder, collector):
        self.name = name
        self.sample, self.dashboards, self.pause = VARIANTS[name]
        self.port, self.admin = common.free_port(), common.free_port()
        self.measured = {"saturated": [], "steady": []}
        self.log = os.path.join(folder, re.sub(r"\W+", "-", name) + ".log")
        self.watching = threading.Event()
        self.watchers = []
        traced = ["--otlp-endpoint", f"http://127.0.0.1:{collector.port}", "--otlp-sample",
                  self.sample] if self.sample else []
        service = common.program(args.build, "cpp-service")
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("OTEL_")}
        self.process = common.Process(
            [common.program(args.build, "headroom"), "run", "--journal",
             os.path.join(folder, re.sub(r"\W+", "-", name), "journal.db"), "--listen",
             f"127.0.0.1:{self.port}", "--threads", "1", "--min", "1", "--max", "1", "--output",
             "none", "--admin", f"127.0.0.1:{self.admin}", *traced, "--", service, "--port",
             "$(PORT)"], cpu=OUR_CPU, log=self.log, env=environment)

    def start(self):
        self.process.start()
        common.wait_accept(self.port, alive=self.process.alive)
        time.sleep(0.5)  # until the replica is there
        for pid in self.process.pids():
            if common.name_of(pid).startswith("headroom"):
                continue
            for task in os.listdir(f"/proc/{pid}/task"):
                beside_headroom(int(task))

    def watch(self):
        """Its dashboards are open, and it is scraped, until unwatch()."""
        self.watching.set()
        self.watchers = [threading.Thread(target=self.dashboard, daemon=True)
                         for _ in range(self.dashboards)]
        if self.pause:
            self.watchers.append(threading.Thread(target=self.scrape, daemon=True))
        for each in self.watchers:
            each.start()

    def unwatch(self):
        self.watching.clear()
        for each in self.watchers:
            each.join(10)

    def dashboard(self):
        beside_headroom()
        with socket.create_connection(("127.0.0.1", self.admin)) as stream:
            stream.settimeout(2)
            stream.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            seen = 0
            while self.watching.is_set():
                seen += len(stream.recv(1 << 16))
            if seen < 1000:
                raise RuntimeError("no stream")

    def scrape(self):
        beside_headroom()
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
        while self.watching.is_set():
            connection.request("GET", "/metrics")
            if len(connection.getresponse().read()) < 1000:
                raise RuntimeError("no metrics")
            time.sleep(self.pause)

    def measure(self, args, *flags):
        self.watch()
        time.sleep(0.3)
        pid = [pid for pid in self.process.pids() if common.name_of(pid).startswith("headroom")]
        before, gateway = common.cpu_nanos(pid), common.cpu_nanos(pid, "gateway-")
        answer = common.load(args.build, f"http://127.0.0.1:{self.port}", *flags, cpu=OTHER_CPU)
        time.sleep(0.02)
        spent = common.cpu_nanos(pid) - before
        gateway = common.cpu_nanos(pid, "gateway-") - gateway
        self.unwatch()
        answered = answer["total"]["answered"]
        return {"cpu": spent / 1000 / answered, "gateway": gateway / 1000 / answered,
                "others": (spent - gateway) / 1000 / answered, "rate": answer["rate"],
                "p50": answer["service_us"]["p50"], "p99": answer["service_us"]["p99"]}


def run_round(all_of_them, args):
    closed = ["--closed", str(CONNECTIONS), "--requests", str(args.requests)]
    steady = ["--rate", "2000", "--duration", f"{args.steady}s", "--connections", str(CONNECTIONS)]
    for each in all_of_them:
        common.load(args.build, f"http://127.0.0.1:{each.port}", "--closed", str(CONNECTIONS),
                    "--requests", "5000", cpu=OTHER_CPU)
    for turn in range(args.turns):
        turn %= len(all_of_them)
        for each in all_of_them[turn:] + all_of_them[:turn]:  # nobody always comes first
            each.measured["saturated"].append(each.measure(args, *closed))
            each.measured["steady"].append(each.measure(args, *steady))


def run_rounds(all_of_them, args):
    for number in range(args.rounds):
        common.say(f"round {number + 1} of {args.rounds}")
        try:
            for each in all_of_them:
                each.start()
            run_round(all_of_them, args)
        finally:
            for each in all_of_them:
                each.process.stop(grace=10)


def told(ratios):
    """Their median, and where it lies with 95 % confidence, by 4,000 samples with replacement."""
    draw = random.Random(1)
    medians = sorted(common.median(draw.choices(ratios, k=len(ratios))) for _ in range(4000))
    return {"ratio": common.median(ratios), "interval": [medians[100], medians[-101]]}


def summarise(all_of_them):
    plain = all_of_them[0].measured
    results = {}
    for each in all_of_them:
        results[each.name] = {}
        for regime, runs in each.measured.items():
            results[each.name][regime] = {
                **{key: common.median([one[key] for one in runs]) for key in runs[0]},
                **told([mine["cpu"] / its["cpu"] for mine, its in zip(runs, plain[regime])])}
    return results


def by_parts(all_of_them):
    """CPU time per request of the watched one at 2,000/s, in that of the unwatched one."""
    return told([
        1 + (watched["others"] - plain["others"]
             + (tenfold["gateway"] - plain["gateway"]) / TENFOLD) / plain["cpu"]
        for plain, watched, tenfold in zip(*[each.measured["steady"] for each in all_of_them])])


def text(of):
    low, high = of["interval"]
    return f"{of['ratio']:.3f} ({low:.3f}-{high:.3f})"


def show(results, parts, args):
    rows = [[name, f"{of['saturated']['cpu']:.2f}", text(of["saturated"]),
             f"{of['steady']['cpu']:.2f}", text(of["steady"]), f"{of['steady']['others']:.2f}",
             f"{of['steady']['p50']:.0f}", f"{of['steady']['p99']:.0f}"]
            for name, of in results.items()]
    print(f"\n{common.machine()}")
    print(f"{args.rounds} rounds of {args.turns} times {args.requests} requests on {CONNECTIONS} "
          f"connections, and {args.steady} s at 2,000/s; CPU in us per request\n")
    print(common.table(rows, ["", "saturated", "/ unwatched (95 %)", "2000/s",
                              "/ unwatched (95 %)", "other threads", "p50 us", "p99 us"]))
    print(f"2000/s, by parts: watched / unwatched {text(parts)} (goal: at most {GOAL}) "
          f"{'met' if parts['interval'][1] <= GOAL else 'MISSED'}")


def parse():
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--turns", type=int, default=5, help="times that each is measured, a round")
    parser.add_argument("--requests", type=int, default=30_000, help="per saturated run")
    parser.add_argument("--steady", type=int, default=2, help="seconds at 2,000 requests/s")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 2: a look, no figure")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.turns = 2, 2
    return args


def main():
    args = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped
    with common.scratch_folder() as folder:
        collector = Collector()
        all_of_them = [Watched(name, args, folder, collector) for name in VARIANTS]
        run_rounds(all_of_them, args)
        if collector.bytes < 100_000:
            raise RuntimeError("the collector got nothing")
    results, parts = summarise(all_of_them), by_parts(all_of_them)
    if args.output == "json":
        json.dump({"machine": common.machine(), "rounds": args.rounds, "turns": args.turns,
                   "by_parts": parts, "results": results},
                  sys.stdout, indent=2)
        print()
    else:
        show(results, parts, args)


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"watching: {error}")
