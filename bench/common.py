"""What the benchmarks share: finding programs, starting processes, measuring them."""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def arguments(description, **defaults):
    """A parser with the flags that every benchmark takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--build", default=find_build(), help="build folder")
    parser.add_argument("-o", "--output", choices=["text", "json"], default="text")
    parser.set_defaults(**defaults)
    return parser


def find_build():
    for preset in ("release", "debug"):
        path = os.path.join(ROOT, "build", preset)
        if os.path.isdir(path):
            return path
    return os.path.join(ROOT, "build", "release")


def program(build, name):
    """The path of a program of ours; ends with a clear line where it is not built."""
    folders = ("bench", "src", "examples/cpp-service", "")
    for folder in folders:
        path = os.path.join(build, folder, name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    sys.exit(f"{name}: not built in {build} (make build, or --build FOLDER)")


def say(*words):
    """Progress goes to stderr, so that -o json is JSON alone."""
    print(*words, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def scratch_folder():
    return tempfile.TemporaryDirectory(prefix="headroom-bench-")


def wait_accept(port, timeout=10.0, pause=0.0002, alive=lambda: True):
    """Seconds until a connection is accepted."""
    start = time.perf_counter()
    while time.perf_counter() - start < timeout:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return time.perf_counter() - start
        except OSError:
            if not alive():
                break
            time.sleep(pause)
    raise RuntimeError(f"nothing accepts on port {port}")


class Process:
    """A process in a group of its own, pinned to CPUs; measured with its descendants."""

    def __init__(self, command, cpu=None, log=None, env=None):
        self.command = command
        cpus = os.sched_getaffinity(0)
        self.cpus = {cpu} if cpu in cpus and len(cpus) > 1 else cpus
        self.log = log
        self.env = env
        self.child = None
        self.started = 0.0

    def start(self):
        out = open(self.log, "ab") if self.log else subprocess.DEVNULL
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self.cpus)  # the child inherits it: no code between fork and exec
        try:
            self.started = time.perf_counter()
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=out, start_new_session=True, env=self.env)
        finally:
            os.sched_setaffinity(0, before)
            if self.log:
                out.close()
        return self

    def alive(self):
        return self.child.poll() is None

    def stop(self, grace=10.0):
        if self.child is None:
            return None
        if self.alive():
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(grace)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            return self.child.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def pids(self):
        return tree(self.child.pid)


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += [int(child) for child in file.read().split()]
    except OSError:
        pass
    return found


def tree(pid):
    found = [pid]
    for child in children(pid):
        found += tree(child)
    return found


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def stat_fields(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()


def cpu_nanos(pids, threads=""):
    """CPU time of processes so far, to the nanosecond: of their threads whose name begins so."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            if threads and not name_of(f"{pid}/task/{task}").startswith(threads):
                continue
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0])
    return total


def user_share(pids, before=(0, 0)):
    """(user, system) ticks since `before`; coarse, good for the ratio of the two."""
    user = system = 0
    for pid in pids:
        fields = stat_fields(pid)
        user += int(fields[11])
        system += int(fields[12])
    return user - before[0], system - before[1]


def rss_kib(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
    return total


def load(build, *flags, cpu=None, check=True):
    """Runs headroom-load and answers its JSON."""
    process = [program(build, "headroom-load"), *flags, "-q", "-o", "json"]
    if cpu is not None and shutil.which("taskset") and len(os.sched_getaffinity(0)) > 1:
        process = ["taskset", "-c", str(cpu), *process]
    run = subprocess.run(process, capture_output=True, text=True)
    if run.returncode not in (0, 1):
        raise RuntimeError(f"headroom-load: {run.stderr.strip()}")
    result = json.loads(run.stdout)
    if check and result["failures"]:
        raise RuntimeError(f"headroom-load: {result['failures']} failures: "
                           f"{result['total']['failed']} {result['errors']} {run.stderr.strip()}")
    return result


def median(values):
    return statistics.median(values) if values else float("nan")


def spread(values, form="{:.2f}"):
    """The median and the range: 0.70 (0.58-0.83)."""
    if not values:
        return "-"
    return (form + " (" + form + "-" + form + ")").format(median(values), min(values), max(values))


def table(rows, header):
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    lines = ["  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip()
             for row in [header, ["-" * width for width in widths], *rows]]
    return "\n".join(lines)


def machine():
    model = "unknown CPU"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{os.cpu_count()} x {model}, Linux {os.uname().release}"
