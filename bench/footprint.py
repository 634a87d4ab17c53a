#!/usr/bin/env python3
"""What Headroom itself takes: size on disk, time to the first accept, memory and CPU when idle."""

import json
import os
import shutil
import subprocess
import sys
import time

import common


def size(program, folder):
    """Bytes of the stripped program, and the names of the libraries it loads."""
    stripped = os.path.join(folder, "stripped")
    shutil.copy(program, stripped)
    if shutil.which("strip"):
        subprocess.run(["strip", stripped], check=True)
    linked = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    libraries = [line.split()[0] for line in linked.splitlines() if "=>" in line]
    return os.path.getsize(stripped), libraries


def run_command(args, folder, port, number, minimum):
    return [common.program(args.build, "headroom"), "run", "--listen", f"127.0.0.1:{port}",
            "--min", str(minimum), "--max", "2", "--journal",
            os.path.join(folder, f"journal-{number}"), "--",
            common.program(args.build, "cpp-service"), "--port", "$(PORT)"]


def time_to_accept(args, folder):
    """Milliseconds from the start to the first accepted connection, with a new journal each."""
    times = []
    for number in range(args.starts):
        port = common.free_port()
        process = common.Process(run_command(args, folder, port, number, 0),
                                 log=os.path.join(folder, "start.log"))
        with process:
            common.wait_accept(port, alive=process.alive)
            times.append((time.perf_counter() - process.started) * 1000)
    return times


def at_rest(args, folder):
    """Resident memory and CPU of Headroom alone, with one replica that has served a request."""
    port = common.free_port()
    process = common.Process(run_command(args, folder, port, "rest", 1),
                             log=os.path.join(folder, "rest.log"))
    service = common.program(args.build, "cpp-service")
    with process:
        common.wait_accept(port, alive=process.alive)
        common.load(args.build, f"http://127.0.0.1:{port}", "--closed", "1", "--requests", "10")
        time.sleep(2)
        pids = [pid for pid in process.pids()
                if os.path.realpath(f"/proc/{pid}/exe") != os.path.realpath(service)]
        cpu = common.cpu_nanos(pids)
        time.sleep(args.seconds)
        cpu = common.cpu_nanos(pids) - cpu
        return {"rss_kib": common.rss_kib(pids), "processes": len(pids),
                "cpu_ms_per_s": cpu / 1e6 / args.seconds}


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=10, help="to measure the idle CPU over")
    args = parser.parse_args()
    with common.scratch_folder() as folder:
        stripped, libraries = size(common.program(args.build, "headroom"), folder)
        starts = time_to_accept(args, folder)
        rest = at_rest(args, folder)
    if args.output == "json":
        print(json.dumps({"stripped_bytes": stripped, "libraries": libraries,
                          "start_ms": starts, **rest}))
        return
    print(f"stripped size          {stripped / 1e6:.1f} MB, {len(libraries)} shared libraries")
    print(f"start to first accept  {common.spread(starts, '{:.1f}')} ms")
    print(f"idle with one service  {rest['rss_kib'] / 1024:.1f} MB resident in "
          f"{rest['processes']} process(es), {rest['cpu_ms_per_s']:.2f} ms of CPU per second")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"footprint: {error}")
