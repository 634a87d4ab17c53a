"""What bash, zsh and fish make of a line and a Tab, typed into a real one on a terminal."""

import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import HEADROOM, SERVICE, Headroom

# Each shows its line between ⟪ and ⟫ on Ctrl-G; Ctrl-U clears it.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             "bind 'set enable-bracketed-paste off'; bind -x '\"\\C-g\": printf \"⟪%s⟫\" \"$READLINE_LINE\"';"
             " source {0}/completion; PS1=READ'Y '\r"),
    "zsh": (["zsh", "-f", "-i"],
            "autoload -Uz compinit; compinit -D -u; source {0}/completion;"
            " line() {{ print -rn -- \"⟪$BUFFER⟫\" }}; zle -N line; bindkey '^G' line;"
            " unsetopt zle_bracketed_paste prompt_cr prompt_sp; PS1=READ'Y '\r"),
    "zsh, by its path of functions": (
        ["zsh", "-f", "-i"],
        "fpath=({0}/site-functions $fpath); autoload -Uz compinit; compinit -D -u;"
        " line() {{ print -rn -- \"⟪$BUFFER⟫\" }}; zle -N line; bindkey '^G' line;"
        " unsetopt prompt_cr prompt_sp; PS1=READ'Y '\r"),
}

CASES = [
    # (why, typed before the Tab, what must stand at the line's end then)
    ("a verb", "headroom exp", "explain "),
    ("a flag", "headroom run --log-f", r"--log-format[ =]?"),
    ("a flag's value", "headroom run --log-format lo", "logfmt "),
    ("a short flag's value", "headroom status -o ya", "yaml "),
    ("after an equals sign", "headroom status --output=ya", "--output=yaml "),
    ("a flag's file", "headroom run --journal jour", "journal.db "),
    ("an autoscaler", "headroom explain sho", "shop "),
    ("an autoscaler behind a flag's value", "headroom explain --last 3 sho", "shop "),
    ("a file", "headroom check appl", "application.yaml "),
    ("another file", "headroom check application.yaml oth", "other.yaml "),
    ("a shell", "headroom completion fi", "fish "),
    ("a verb for its page", "headroom man sched", "sched"),
    ("a verb for its page", "headroom man comp", "completion "),
    ("no file where a name is meant", "headroom pause appl", "appl"),
    ("the service's own command", "headroom run -- ./appl", "./application.yaml "),
    ("the service's own words", "headroom run --min 0 -- cat appl", "application.yaml "),
]


class Shell:
    """A shell on a terminal of its own."""

    def __init__(self, command, setup, environment):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(environment["HOME"])
            os.execvpe(command[0], command, environment)
        self.seen = ""
        os.write(self.terminal, setup.encode())
        self.wait_for("READY ")

    def wait_for(self, pattern, seconds=30):
        until = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen)):
            if time.monotonic() > until:
                raise AssertionError(f"no {pattern!r} within {seconds} s in {self.seen!r}")
            if select.select([self.terminal], [], [], 0.1)[0]:
                text = os.read(self.terminal, 65536)
                self.seen += text.decode(errors="replace")
        self.seen = self.seen[found.end():]
        return found

    def complete(self, typed):
        """The line after a Tab."""
        os.write(self.terminal, b"\x15" + typed.encode() + b"\t\x07")
        return self.wait_for("⟪(.*?)⟫")[1]

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


class Fish:
    """Fish repaints as it likes on a terminal, but says what a Tab would offer."""

    def __init__(self, environment):
        self.environment = environment

    def complete(self, typed):
        offered = subprocess.run(
            ["fish", "--no-config", "-c", "source ~/completion; complete -C $argv[1]", typed],
            env=self.environment, cwd=self.environment["HOME"], capture_output=True, text=True,
            timeout=30).stdout.splitlines()
        if len(offered) != 1:
            return typed
        return typed[:typed.rfind(" ") + 1] + offered[0].split("\t")[0] + " "

    def close(self):
        pass


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="headroom-completion-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        for name in ("application.yaml", "other.yaml", "journal.db", "bin/", "site-functions/"):
            path = os.path.join(cls.folder, name)
            os.makedirs(path) if name.endswith("/") else open(path, "w").close()
        os.symlink(HEADROOM, os.path.join(cls.folder, "bin/headroom"))
        cls.environment = {
            "HOME": cls.folder, "PATH": f"{cls.folder}/bin:/usr/bin:/bin", "TERM": "dumb",
            "LC_ALL": "C.UTF-8", "XDG_STATE_HOME": os.path.join(cls.folder, "state")}
        # A journal that knows an autoscaler.
        journal = os.path.join(cls.folder, "state/headroom/shop/journal.db")
        os.makedirs(os.path.dirname(journal))
        headroom = Headroom(cls.folder, ["--name", "shop", "--listen", "127.0.0.1:0", "--admin",
                                         "none", "--", SERVICE, "--port", "$(PORT)"], journal)
        headroom.wait_for("replica 1 ready")
        headroom.terminate()

    def test_bash_and_zsh(self):
        for name, (command, setup) in SHELLS.items():
            if shutil.which(command[0]) is None:
                self.skipTest(f"no {command[0]}")
            self.try_out(command[0], name,
                         lambda: Shell(command, setup.format(self.folder), self.environment))

    def test_fish(self):
        if shutil.which("fish") is None:
            self.skipTest("no fish")
        self.try_out("fish", "fish", lambda: Fish(self.environment))

    def try_out(self, program, name, start):
        text = subprocess.check_output([HEADROOM, "completion", program], text=True)
        for path in ("completion", "site-functions/_headroom"):
            with open(os.path.join(self.folder, path), "w") as file:
                file.write(text)
        shell = start()
        self.addCleanup(shell.close)
        for why, typed, end in CASES:
            with self.subTest(shell=name, why=why, typed=typed):
                self.assertRegex(shell.complete(typed), end + "$")


if __name__ == "__main__":
    unittest.main()
