"""A page of the documentation, run as its reader would run it.

The blocks that are run are those between ```sh (commands, their output does not matter) or ```console
("$ " before a command, what it prints after it) and ```. They run in order, in one folder, with one
environment, each command after the one before has ended, but for

- `headroom run …`, which goes on until the next `headroom run` or the page's end; lines after it, and
  blocks that begin with no command, are what its log says some time.

What is printed is compared line by line. `…` is anything, on a line of its own any number of lines;
numbers may differ, and so may the width of columns. HTML comments before a block, which no reader
sees, say what else there is to know:

    <!-- not run: needs systemd -->   is listed, with the reason
    <!-- first: COMMAND -->           what the reader is thought to have done already
    <!-- exits 1 -->                  each command of it does, `headroom run`, too; else 0 is expected
    <!-- for 2s -->                   each command is interrupted after so long
    <!-- file: shop.yaml -->          the block (of any language) is this file's content

Port numbers of the pages (PORTS) become free ones.
"""

import ctypes
import os
import re
import shlex
import signal
import subprocess

from harness import eventually, free_port

PORTS = ("8080", "8081", "8000", "8443", "7780")


class Block:
    def __init__(self, language, line, lines, marks):
        self.language, self.line, self.lines, self.marks = language, line, lines, marks

    def mark(self, pattern):
        for mark in self.marks:
            found = re.fullmatch(pattern, mark)
            if found:
                return found[1]
        return None

    def runs(self):
        return self.language in ("sh", "console") and self.mark(r"not run: (.+)") is None


def blocks(text):
    """Those between fences, with the comments before each."""
    found, marks, inside = [], [], None
    for number, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"```(\w*)", line)
        comment = re.fullmatch(r"<!-- (.+) -->", line)
        if inside is not None:
            if fence:
                found.append(inside)
                inside = None
            else:
                inside.lines.append(line)
        elif fence:
            inside, marks = Block(fence[1], number, [], marks), []
        elif comment:
            marks.append(comment[1])
        elif line:
            marks = []
    return found


def steps(block):
    """(command, lines that it prints) in their order; no command: lines of the log."""
    found = []
    for line in block.lines:
        if found and found[-1][0] and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1][0] += "\n" + line
        elif block.language == "sh":
            if line and not line.startswith("#"):
                found.append([line, []])
        elif line.startswith("$ "):
            found.append([line[2:], []])
        elif not found:
            found.append(["", [line]])
        else:
            found[-1][1].append(line)
    return found


def pattern(line):
    """`…` is anything and numbers may differ, but a line that is a number is just that."""
    if line.isdigit():
        return f"^{line}$"
    text = re.sub(r"\d+(\.\d+)?( ?)(m?s\b)?",
                  lambda n: "0" + n[2] + ("ms" if n[3] else ""), line.rstrip())
    text = re.escape(text).replace("…", ".*").replace("replicas", "replica")
    text = re.sub(r"(0(\\ )?)ms", r"\1m?s", text).replace("0", r"\d+(\.\d+)?")
    text = re.sub(r"(\\ ){2,}", " +", text)
    return f"^{text.replace('replica', 'replicas?')} *$"


def differs(expected, printed):
    """What is not as the page says; nothing where all is."""
    while expected and expected[-1] == "":
        expected = expected[:-1]
    at = 0
    for number, line in enumerate(expected):
        if line == "…":
            rest = expected[number + 1:]
            return None if any(differs(rest, printed[start:]) is None
                               for start in range(at, len(printed) + 1)) else f"not after …: {rest}"
        if at == len(printed):
            return f"missing: {line}"
        if not re.match(pattern(line), printed[at]):
            return f"expected: {line}\n   found: {printed[at]}"
        at += 1
    return f"not in the page: {printed[at]}" if at < len(printed) else None


def adopt_orphans():
    """What a command leaves behind becomes our child, so that it can be ended."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def children():
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if parent == os.getpid():
            found.append(int(entry))
    return found


def end_children():
    """Of this process, those that are left, and theirs."""
    for pid in children():
        os.kill(pid, signal.SIGKILL)  # a zombie, too: it is ours until we wait for it
    while children():
        os.wait()
        for pid in children():  # those that they left to us
            os.kill(pid, signal.SIGKILL)


class Reader:
    """Runs a page's blocks. Errors are AssertionErrors that name the line."""

    patience = 300  # seconds for one command

    def __init__(self, folder, scratch, programs):
        """`folder` is where the commands run, `scratch` holds what the reader does not see."""
        self.folder, self.scratch = folder, scratch
        path = os.path.join(scratch, "bin")
        os.makedirs(path)
        for name, program in programs.items():
            os.symlink(program, os.path.join(path, name))
        self.ports = {port: str(free_port()) for port in PORTS}
        self.environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}:/usr/sbin",
                            "HOME": folder, "TZ": "UTC", "LANG": "C.UTF-8",
                            "XDG_STATE_HOME": os.path.join(scratch, "state")}
        self.environment.pop("CARGO_TARGET_DIR", None)
        for name in ("cargo", "rustup"):
            self.environment.setdefault(f"{name.upper()}_HOME", os.path.expanduser(f"~/.{name}"))
        self.running, self.log_path, self.read = None, None, 0
        self.count = 0

    def run(self, block):
        for mark in block.marks:
            if mark.startswith("first: "):
                self.step(mark.removeprefix("first: "), [], Block("sh", block.line, [], []))
        name = block.mark(r"file: (.+)")
        if name:
            path = os.path.join(self.where(), name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(self.local("\n".join(block.lines) + "\n"))
        if not block.runs():
            return
        for command, expected in steps(block):
            try:
                self.step(command, expected, block)
            except AssertionError as problem:
                raise AssertionError(f"line {block.line}: {command}\n{problem}") from None

    def step(self, command, expected, block):
        expected = [self.local(line) for line in expected]
        if not command:
            return self.said(expected)
        command = self.local(command)
        ends = block.mark(r"exits (\d+)")
        if ends is None and re.match(r"headroom run\b(?!.*(--print|--help))[^|&]*$", command, re.DOTALL):
            self.start(command)
            return self.said(expected)
        printed = self.call(command, int(ends or 0), float(block.mark(r"for (\d+)s") or 0))
        if block.language == "console":
            # What a program prints no more, the log of the one that runs may say.
            different = differs(expected, printed)
            if different and not printed and self.running:
                return self.said(expected)
            assert not different, different + "\nprinted was:\n" + "\n".join(printed)
        return None

    def local(self, text):
        return re.sub(rf"(?<!\d)({'|'.join(PORTS)})(?!\d)", lambda port: self.ports[port[1]], text)

    def where(self):
        try:
            with open(os.path.join(self.scratch, "cwd")) as file:
                return file.read().strip()
        except FileNotFoundError:
            return self.folder

    def script(self, command):
        """With the variables and in the folder that the commands before left."""
        variables = os.path.join(self.scratch, "variables")
        return f"""set -a
[ -f {variables} ] && . {variables}
cd {shlex.quote(self.where())}
trap 'export -p >{variables}; pwd >{self.scratch}/cwd' EXIT
{command}
"""

    def call(self, command, code, seconds):
        """Its lines. Ends a command that goes on longer than `seconds`, where that is not 0."""
        self.count += 1
        out = os.path.join(self.scratch, f"out-{self.count}")
        with open(out, "wb") as log:  # a file: what stays in the background may keep it
            running = subprocess.Popen(["bash", "-c", self.script(command)], stdout=log, stderr=log,
                                       stdin=subprocess.DEVNULL, env=self.environment,
                                       cwd=self.folder, start_new_session=True)
        try:
            ended = running.wait(seconds or self.patience)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGINT if seconds else signal.SIGKILL)
            running.wait(20)
            ended = code if seconds else "none in time"
        with open(out, errors="replace") as file:
            text = file.read()
        assert ended == code, f"exit code {ended}, expected {code}:\n{text}"
        return text.splitlines()

    def start(self, command):
        self.stop()
        self.count += 1
        self.log_path, self.read = os.path.join(self.scratch, f"log-{self.count}"), 0
        if "--admin" not in command:  # the default one may be somebody else's
            command = command.replace("headroom run",
                                      f"headroom run --admin 127.0.0.1:{self.ports['7780']}", 1)
        with open(self.log_path, "wb") as log:
            self.running = subprocess.Popen(["bash", "-c", self.script("exec " + command)],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=self.environment, cwd=self.folder)
        settled = eventually(lambda: " admin: " in self.log() or self.running.poll() is not None, 30)
        assert settled and self.running.poll() is None, f"it does not run:\n{self.log()}"

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def said(self, lines):
        """Headroom says each some time, in this order."""
        for line in lines:
            if line in ("", "…"):
                continue
            line_there = re.compile("(?m)" + pattern(line))
            found = eventually(lambda: line_there.search(self.log(), self.read), 60, 0.1)
            assert found, f"{line}\nis not in the log after the lines before:\n{self.log()}"
            self.read = found.end()

    def stop(self):
        if self.running:
            self.running.send_signal(signal.SIGINT)
            try:
                code = self.running.wait(60)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"Headroom does not end:\n{self.log()}") from None
            self.running = None
            assert code == 0, f"Headroom ended with {code}:\n{self.log()}"

    def close(self):
        """Whatever is left, ends."""
        if self.running:
            self.running.kill()
            self.running.wait()
        end_children()
