#!/usr/bin/env python3
"""A step from one replica's worth of load to six: how soon do new replicas have traffic?

The service waits 50 ms per request, and a replica is to run 7 requests at once (a concurrency of
10 at 70 %): 120 requests/s are one replica's worth, 800 are six. The load steps from the one to
the other at once; the driver notes when each replica's first answer came.
"""

import json
import os
import sys
import time

import common

DOCUMENT = """\
apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: {{ name: step }}
spec:
  target:
    process:
      command: ["{service}", --port, $(PORT), --wait, 50ms, --start-delay, {start_delay}]
  gateway: {{ listen: "127.0.0.1:{port}" }}
  minReplicas: 1
  maxReplicas: 8
  concurrency: {{ target: 10, window: 10s }}
"""

LOW, HIGH, WANTED = 120, 800, 6


def one_run(args, folder, number):
    port = common.free_port()
    document = os.path.join(folder, f"step-{number}.yaml")
    with open(document, "w") as file:
        file.write(DOCUMENT.format(service=common.program(args.build, "cpp-service"), port=port,
                                   start_delay=args.start_delay))
    log = os.path.join(folder, f"headroom-{number}.log")
    step, end = args.before, args.before + args.after
    command = [common.program(args.build, "headroom"), "run", document, "--journal",
               os.path.join(folder, f"journal-{number}")]
    with common.Process(command, log=log) as headroom:
        try:
            common.wait_accept(port, alive=headroom.alive)
            time.sleep(0.5)
            answer = common.load(
                args.build, f"http://127.0.0.1:{port}", "--schedule",
                f"0s:{LOW},{step}s:{LOW},{step}s:{HIGH},{end}s:{HIGH}")
        except RuntimeError as error:
            with open(log, errors="replace") as file:
                sys.exit(f"reaction: {error}\n{file.read()[-2000:]}")
    seen = sorted(replica["first_seen_ms"] / 1000 - step for replica in answer["replicas"])
    before = [moment for moment in seen if moment < 0]
    new = [moment for moment in seen if moment >= 0]
    return {"before": len(before), "new": new, "replicas": len(seen),
            "first": new[0] if new else None,
            "all": seen[WANTED - 1] if len(seen) >= WANTED else None,
            "p99_ms": answer["latency_us"]["p99"] / 1000}


def parse():
    parser = common.arguments(__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--before", type=int, default=12, help="seconds of the low rate")
    parser.add_argument("--after", type=int, default=8, help="seconds of the high rate")
    parser.add_argument("--start-delay", default="0s", help="the service's own start-up")
    return parser.parse_args()


def main():
    args = parse()
    runs = []
    with common.scratch_folder() as folder:
        for number in range(args.runs):
            run = one_run(args, folder, number)
            runs.append(run)
            moments = "  ".join(f"{moment:.2f}" for moment in run["new"])
            common.say(f"run {number + 1}/{args.runs}: {run['before']} replica before the step; "
                       f"new ones had traffic after {moments or 'none'} s")
    complete = all(run["first"] is not None and run["all"] is not None for run in runs)
    first = common.median([run["first"] for run in runs]) if complete else None
    everyone = common.median([run["all"] for run in runs]) if complete else None
    good = complete and first <= 1.0 and everyone <= 3.0
    if args.output == "json":
        print(json.dumps({"runs": runs, "first_s": first, "all_s": everyone, "met": good}))
    elif not complete:
        print(f"reaction: in some run fewer than {WANTED} replicas had traffic: MISSED")
    else:
        print(f"reaction to a step from 1 to {WANTED} replicas' worth, median of {args.runs}: the "
              f"first new replica has traffic after {first:.2f} s (goal: 1), the "
              f"{WANTED}th after {everyone:.2f} s (goal: 3) {'met' if good else 'MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
