#!/usr/bin/env python3
"""What one decision costs beside Kubernetes' own replica calculator: time and allocations."""

import json
import os
import re
import shutil
import subprocess
import sys

import common

UPSTREAM = os.path.join(common.ROOT, "bench", "upstream")
COUNT = re.compile(r"(\d[\d,]*) (autoscaler|pod|metric)s?\b")
LINE = re.compile(r"^Benchmark\w+/(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op.*?\s(\d+) allocs/op")


def case(name):
    """(autoscalers, pods, metrics) of a name, however it is ordered; None where it says more."""
    kind, _, rest = name.rpartition("hpa/")
    counts = {word: int(number.replace(",", "")) for number, word in COUNT.findall(rest)}
    if kind or not {"pod", "metric"} <= set(counts):
        return None
    if re.sub(r"[\s,/]|\b(of|and)\b", "", COUNT.sub("", rest)):
        return None
    return counts.get("autoscaler", 1), counts["pod"], counts["metric"]


def run(command, **options):
    """The output of a program; ends with what it said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def ours(bench):
    results = []
    for line in run([bench, "--json"]).splitlines():
        if line.startswith("{"):
            result = json.loads(line)
            results.append((result["name"], result["ns"], result["allocations"]))
    if not results:
        sys.exit(f"{bench} --json: no result")
    return results


def upstreams(bench):
    found = (LINE.match(line) for line in run([bench, "-test.bench", ".", "-test.benchmem"],
                                              cwd=UPSTREAM).splitlines())
    results = [(line[1].replace("_", " "), float(line[2]), int(line[3])) for line in found if line]
    if not results:
        sys.exit(f"{bench}: no result")
    return results


def build_upstream(folder):
    """The path of upstream's benchmark, built from Go modules, or None and a word why."""
    if not shutil.which("go"):
        return None, "go is not installed"
    common.say("building upstream's calculator (minutes, the first time)")
    path = os.path.join(folder, "upstream.test")
    done = subprocess.run(["go", "test", "-c", "-o", path, "."], cwd=UPSTREAM,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None, "it does not build: " + (done.stderr.strip().splitlines() or ["no reason"])[-1]
    return path, None


def gather(rounds):
    """The median time and the largest number of allocations of each name, in order."""
    names = dict.fromkeys(name for results in rounds for name, _, _ in results)
    return {name: {"ns": common.median([ns for results in rounds
                                        for other, ns, _ in results if other == name]),
                   "allocations": max(count for results in rounds
                                      for other, _, count in results if other == name)}
            for name in names}


def beside(own, other):
    """One entry per name of ours; upstream's where the case is the same."""
    by_case = {case(name): result for name, result in other.items() if case(name)}
    entries = []
    for name, result in own.items():
        theirs = by_case.get(case(name)) if case(name) else None
        ratio = theirs["ns"] / result["ns"] if theirs and result["ns"] > 0 else None
        entries.append({"name": name, "headroom": result, "upstream": theirs, "ratio": ratio})
    return entries


def duration(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def show(entries, missing):
    rows = []
    for entry in entries:
        own, other, ratio = entry["headroom"], entry["upstream"], entry["ratio"]
        rows.append([entry["name"], duration(own["ns"]), f"{own['allocations']:,}",
                     duration(other["ns"]) if other else "-",
                     f"{other['allocations']:,}" if other else "-",
                     f"{ratio:.3g} times" if ratio else "-"])
    print(common.table(rows, ["decision", "Headroom", "allocations", "Kubernetes", "allocations",
                              "faster by"]))
    if missing:
        print(f"\nwithout Kubernetes' calculator: {missing}")


def parse():
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="each takes its turn, so many times")
    parser.add_argument("--alone", action="store_true", help="without Kubernetes' calculator")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds: at least 1")
    return args


def main():
    args = parse()
    bench = common.program(args.build, "decide_bench")
    own, other, missing = [], [], "--alone"
    with common.scratch_folder() as folder:
        upstream = None
        if not args.alone:
            upstream, missing = build_upstream(folder)
        for number in range(args.rounds):
            common.say(f"round {number + 1}/{args.rounds}")
            own.append(ours(bench))
            if upstream:
                other.append(upstreams(upstream))
    entries = beside(gather(own), gather(other))
    if args.output == "json":
        print(json.dumps({"machine": common.machine(), "missing": missing, "decisions": entries}))
    else:
        print(common.machine() + "\n")
        show(entries, missing)
    return 0


if __name__ == "__main__":
    sys.exit(main())
