"""Headroom as a user runs it: the program, real replicas, real load.

Programs come from the environment (ctest sets it): HEADROOM, EXAMPLE_SERVICE, LOAD.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

HEADROOM = os.environ["HEADROOM"]
SERVICE = os.environ["EXAMPLE_SERVICE"]
LOAD = os.environ["LOAD"]


def eventually(condition, seconds=30, pause=0.02):
    """The first true value of `condition`, or its last one after that many seconds."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > until:
            return value
        time.sleep(pause)


def alive(pid):
    """Whether the process runs (a zombie does not)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def rss_bytes(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) * 1024


class Headroom:
    """One run of `headroom run`; its log is read as it grows."""

    def __init__(self, folder, arguments, journal=None, env=None, prefix=(), pass_fds=()):
        self.folder = folder
        self.journal = journal or os.path.join(folder, "journal.db")
        self.log_path = os.path.join(folder, f"headroom-{time.monotonic_ns()}.log")
        command = [*prefix, HEADROOM, "run", "--journal", self.journal, *arguments]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                env={**os.environ, **(env or {})}, start_new_session=True, pass_fds=pass_fds)
        self.pid = self.process.pid

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def wait_for(self, pattern, seconds=30):
        """The first match of `pattern` in the log; fails with the log where there is none."""
        found = eventually(lambda: re.search(pattern, self.log()) or self.ended(), seconds)
        if not found or isinstance(found, bool):
            found = re.search(pattern, self.log())
        if not found:
            raise AssertionError(f"no {pattern!r} in the log within {seconds} s:\n{self.log()}")
        return found

    def ended(self):
        return self.process.poll() is not None

    def port(self, name=r"[^:]*"):
        return int(self.wait_for(rf" {name}: listening on \S*:(\d+)")[1])

    def url(self, name=r"[^:]*"):
        return f"http://127.0.0.1:{self.port(name)}"

    def get(self, path="/", timeout=20, port=None):
        if port:
            self.wait_for(rf"listening on \S*:{port}\b")
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port(), timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())
        finally:
            connection.close()

    def explain(self, *arguments):
        out = subprocess.run([HEADROOM, "explain", "--journal", self.journal, "-o", "json",
                              *arguments], capture_output=True, text=True, timeout=30)
        if out.returncode != 0:
            raise AssertionError(f"explain: exit {out.returncode}: {out.stderr}")
        return json.loads(out.stdout)

    def children(self):
        """(pid, name) of the children of the process that we started, those that run."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat") as file:
                    name, fields = re.match(r"\d+ \((.*)\) (.*)", file.read()).groups()
            except OSError:
                continue
            fields = fields.split()
            if int(fields[1]) == self.pid and fields[0] not in "ZX":
                found.append((int(entry), name))
        return sorted(found)

    def replicas(self):
        """The process ids of the replicas: the leaders of the groups below us."""
        return [pid for pid, name in self.children() if name != "headroom"]

    def workers(self):
        """Those of the process that does the work, and at an upgrade of its successor."""
        return [pid for pid, name in self.children() if name == "headroom"]

    def terminate(self, seconds=60):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self):
        if not self.ended():
            self.process.kill()
            self.process.wait()


class Load:
    """headroom-load in the background; result() is its JSON."""

    def __init__(self, url, *arguments):
        self.process = subprocess.Popen([LOAD, url, "-o", "json", "--quiet", *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self, seconds=180):
        out, error = self.process.communicate(timeout=seconds)
        if not out:
            raise AssertionError(f"headroom-load said nothing: {error}")
        return json.loads(out)


class Case(unittest.TestCase):
    """A scratch folder, and everything that was started is stopped at the end."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="headroom-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_headroom(self, *arguments, **options):
        headroom = Headroom(options.pop("folder", self.folder), arguments, **options)
        self.addCleanup(headroom.kill)
        return headroom

    def service(self, *flags, **options):
        """`headroom run FLAGS -- cpp-service --port $(PORT)` on a port of its own."""
        service_flags = options.pop("service", ())
        return self.run_headroom("--listen", "127.0.0.1:0", "--output", "none", *flags, "--",
                                 SERVICE, "--port", "$(PORT)", *service_flags, **options)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    def load(self, url, *arguments):
        load = Load(url, *arguments)
        self.addCleanup(load.process.communicate)
        self.addCleanup(load.process.kill)
        return load


def document(name="shop", port=0, least=0, most=6, extra="", service=(), probe=""):
    """An Autoscaler of the example service."""
    flags = "".join(f", {json.dumps(flag)}" for flag in service)
    return f"""apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: {{ name: {name} }}
spec:
  target:
    process:
      command: [{json.dumps(SERVICE)}, --port, $(PORT){flags}]
      output: {{ to: none }}
{probe}
  gateway: {{ listen: "127.0.0.1:{port}" }}
  minReplicas: {least}
  maxReplicas: {most}
{extra}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
