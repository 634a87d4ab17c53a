"""The Debian package, from lintian to purge: in a root of its own, and under a systemd of its own.

Needs root, and Debian: the root is made by mmdebstrap (once; kept in build/deb), and booted in
namespaces, without a network. What the package depends on comes from Debian's mirror.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from harness import HEADROOM, eventually

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MADE = os.path.join(TOP, "build/deb")
SAMPLE = "/usr/share/doc/headroom/examples/sample.yaml"
INCLUDE = "systemd,python3,curl"
CGROUP2 = r"^\S+ (\S+) cgroup2 "

# The first process of the namespaces: a file system like a container's, then systemd.
BOOT = """
set -e
cd "$1"
mount --make-rprivate /
mount --bind . .
cd "$1"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm run/before
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
pivot_root . run/before
umount -l run/before
exec env -i container=headroom-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
"""

# Asks every 10 ms until it may not; says how often that went well and what went wrong.
ASK = """
import json, os, time, urllib.request
good, bad = 0, []
while not os.path.exists("/run/enough"):
    try:
        urllib.request.urlopen("http://127.0.0.1:8080/", timeout=30).read()
        good += 1
    except Exception as error:
        bad.append(repr(error))
    time.sleep(0.01)
print(json.dumps([good, bad]))
"""


# Has the sample's address for a while.
TAKE = """
import socket, time
taken = socket.create_server(("127.0.0.1", 8080))
time.sleep(10)
"""


def shell(*command, **options):
    """What it says; fails with that where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=options.pop("seconds", 120), **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}: exit {done.returncode}:\n{done.stdout}")
    return done.stdout


def in_root(root, *command):
    return shell("chroot", root, *command,
                 env={**os.environ, "DEBIAN_FRONTEND": "noninteractive",
                      "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


def why_not():
    """Why this cannot be run here, if so."""
    if os.geteuid() != 0:
        return "it needs root: mounts, namespaces, and a package to install"
    for program in ("dh", "lintian", "mmdebstrap", "unshare", "nsenter"):
        if shutil.which(program) is None:
            return f"no {program} (scripts/packages.sh deb)"
    with open("/proc/mounts") as file:
        if not re.search(CGROUP2, file.read(), re.M):
            return "no control groups of version 2 are mounted"
    if subprocess.run(["unshare", "--mount", "--pid", "--cgroup", "--net", "--fork", "true"],
                      capture_output=True).returncode != 0:
        return "no namespaces may be made here"
    return None


def codename():
    with open("/etc/os-release") as file:
        return re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.M)[1]


def base():
    """A Debian with systemd and a Python, as an archive."""
    archive = os.path.join(MADE, f"base-{codename()}-{INCLUDE.replace(',', '-')}.tar")
    if not os.path.exists(archive):
        os.makedirs(MADE, exist_ok=True)
        shell("mmdebstrap", "--quiet", "--format=tar", "--variant=minbase", f"--include={INCLUDE}", codename(),
              archive + ".part", seconds=500)
        os.rename(archive + ".part", archive)
    return archive


def package(revision, **more):
    said = shell(os.path.join(TOP, "scripts/deb.sh"), seconds=200,
                 env={**os.environ, "PROGRAM": HEADROOM, "REVISION": str(revision), **more})
    return os.path.join(TOP, re.search(r"Made (\S+)", said)[1]), said


class Group:
    """A control group of its own for the machine: its systemd would else move what is here."""

    def __init__(self):
        with open("/proc/mounts") as file:
            mounted = re.search(CGROUP2, file.read(), re.M)
        with open("/proc/self/cgroup") as file:
            here = re.search(r"^0::(.*)$", file.read(), re.M)
        self.path = mounted[1] + here[1].rstrip("/") + f"/headroom-test-{os.getpid()}"
        os.mkdir(self.path)

    def enter(self):
        with open(self.path + "/cgroup.procs", "w") as file:
            file.write("0")

    def remove(self):
        for folder, _, _ in os.walk(self.path, topdown=False):
            eventually(lambda: self.gone(folder), 5)

    @staticmethod
    def gone(folder):
        """Whether it is, once its processes are."""
        try:
            os.rmdir(folder)
        except OSError:
            return not os.path.exists(folder)
        return True


class Machine:
    """The root, booted."""

    def __init__(self, root):
        self.group = Group()
        self.process = subprocess.Popen(
            ["unshare", "--pid", "--mount", "--cgroup", "--uts", "--ipc", "--net", "--fork",
             "--kill-child", "sh", "-c", BOOT, "boot", root], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=self.group.enter)
        self.first = None
        if not eventually(lambda: self.find() and self.state() == "running", 60, 0.2):
            state = self.state() if self.first else "no first process"
            self.end()
            raise AssertionError(f"systemd does not come up: {state}")

    def find(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            children = file.read().split()
        if children:
            with open(f"/proc/{children[0]}/comm") as file:
                self.first = children[0] if file.read() == "systemd\n" else None
        return self.first

    def command(self, *command):
        return ["nsenter", "-t", self.first, "-a", "-r", "-w", *command]

    def state(self):
        return subprocess.run(self.command("systemctl", "is-system-running"), capture_output=True,
                              text=True, timeout=30).stdout.strip()

    def run(self, *command):
        return shell(*self.command(*command))

    def fails(self, *command):
        try:
            return self.run(*command) and None
        except AssertionError as error:
            return str(error)

    def show(self, unit, what):
        return self.run("systemctl", "show", "-P", what, unit).strip()

    def sample(self):
        printed = self.run("sh", "-c", "exec headroom status sample -o json 2>/dev/null")
        return json.loads(printed)[0]

    def ready(self):
        return self.sample()["replicas"]["ready"]

    def replicas(self):
        """Their processes; None where nobody answers."""
        if self.fails("headroom", "status", "sample"):
            return None
        return [each["pid"] for each in self.sample()["instances"]]

    def get(self):
        return self.run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
                        "http://127.0.0.1:8080/")

    def end(self):
        if self.first:
            os.kill(int(self.first), 9)
        self.process.kill()
        self.process.wait()
        self.group.remove()


class Deb(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.first, cls.lint = package(1)
        cls.second, _ = package(2, NO_LINT="1")
        archive = base()
        cls.folder = tempfile.mkdtemp(prefix="roots-", dir=MADE)
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.root = os.path.join(cls.folder, "fresh")
        os.mkdir(cls.root)
        shell("tar", "-C", cls.root, "-xf", archive)
        for file in (cls.first, cls.second):
            shutil.copy(file, os.path.join(cls.root, "root"))
        # What it depends on is fetched here; the machine has no network.
        in_root(cls.root, "apt-get", "-q", "update")
        in_root(cls.root, "apt-get", "-qy", "install", "--download-only",
                "--no-install-recommends", cls.inside(cls.first))

    def setUp(self):
        fresh, self.root = self.root, os.path.join(self.folder, self.id())
        shell("cp", "-a", fresh, self.root)

    @staticmethod
    def inside(file):
        return "/root/" + os.path.basename(file)

    def left(self):
        """What of it is in the root, but for its file and what apt and dpkg remember."""
        return shell("find", ".", "-name", "*headroom*", "-not", "-path", "./root/*",
                     cwd=self.root).split()

    def install_command(self):
        return ["apt-get", "-qy", "install", "--no-install-recommends", self.inside(self.first)]

    def test_lintian_is_content_and_the_same_makes_the_same(self):
        self.assertNotRegex(self.lint, r"(?m)^[EW]:")
        with open(self.first, "rb") as file:
            before = hashlib.sha256(file.read()).hexdigest()
        again, _ = package(1, NO_LINT="1")
        with open(again, "rb") as file:
            self.assertEqual(hashlib.sha256(file.read()).hexdigest(), before)

    def test_without_systemd(self):
        """As in a container: installed, used, upgraded, removed, purged."""
        in_root(self.root, *self.install_command())
        self.assertRegex(in_root(self.root, "headroom", "--version"), r"^headroom \d")
        self.assertIn("ok Autoscaler sample", in_root(self.root, "headroom", "check", SAMPLE))
        in_root(self.root, "bash", "-c", "source /usr/share/bash-completion/completions/headroom;"
                     " complete -p headroom")
        for page in ("headroom", "headroom-run", "headroom-status"):
            shell("gzip", "-t", os.path.join(self.root, f"usr/share/man/man1/{page}.1.gz"))
        for file in ("headroom/prometheus/alerts.yaml", "headroom/grafana/headroom.json",
                     "doc/headroom/changelog.gz", "doc/headroom/copyright"):
            self.assertTrue(os.path.exists(os.path.join(self.root, "usr/share", file)), file)
        in_root(self.root, "dpkg", "-i", self.inside(self.second))
        self.assertIn("-2", in_root(self.root, "dpkg-query", "-W", "-f", "${Version}", "headroom"))
        in_root(self.root, "cp", SAMPLE, "/etc/headroom/")
        in_root(self.root, "dpkg", "--remove", "headroom")
        self.assertTrue(os.path.exists(os.path.join(self.root, "etc/headroom/sample.yaml")),
                        "a removal keeps the documents")
        in_root(self.root, "dpkg", "--purge", "headroom")
        self.assertEqual(self.left(), [])

    def test_under_systemd(self):
        machine = Machine(self.root)
        self.addCleanup(machine.end)
        machine.run(*self.install_command())
        self.reads(machine)
        self.starts(machine)
        self.reloads(machine)
        self.comes_back(machine)
        self.tries_again(machine)
        if self.takes_over(machine):
            self.is_activated(machine)
            self.upgrades(machine)
        self.goes(machine)

    def reads(self, machine):
        """Each command of docs/systemd.md, in their order, but those that say why not."""
        with open(os.path.join(TOP, "docs/systemd.md")) as file:
            blocks = re.findall(r"(<!-- not run: [^\n]* -->\n)?```sh\n(.*?)```", file.read(), re.S)
        run = [block for why_not, block in blocks if not why_not]
        self.assertGreater(len(run), 4)
        for block in run:
            if "USR2" not in block or self.takes_over(machine):
                machine.run("bash", "-euc", block)
        self.assertEqual(machine.show("headroom@sample.socket", "ActiveState"), "active")
        machine.run("systemctl", "disable", "--now", "headroom@sample.socket")
        machine.run("rm", "/etc/headroom/sample.env")
        machine.run("systemctl", "enable", "--now", "headroom@sample")

    @staticmethod
    def takes_over(machine):
        return "SIGUSR2" in machine.run("headroom", "run", "--help")

    def starts(self, machine):
        self.assertEqual(machine.show("headroom@sample", "ActiveState"), "active")
        self.assertTrue(eventually(lambda: machine.ready() == 1))
        self.assertEqual(machine.get(), "200")
        self.assertTrue(eventually(
            lambda: machine.show("headroom@sample", "StatusText") == "1 autoscaler, 1 replica ready"))
        self.assertIn("Status: \"1 autoscaler, 1 replica ready\"",
                      machine.run("systemctl", "status", "headroom@sample"))
        self.assertIn("listening on 127.0.0.1:8080",
                      machine.run("journalctl", "-u", "headroom@sample"))
        # It is nobody, and a replica has a control group of its own.
        main = machine.show("headroom@sample", "MainPID")
        self.assertNotEqual(machine.run("stat", "-c", "%u", f"/proc/{main}").strip(), "0")
        replica = machine.replicas()[0]
        self.assertIn("/headroom@sample.service/headroom-",
                      machine.run("cat", f"/proc/{replica}/cgroup"))

    def reloads(self, machine):
        document = "/etc/headroom/sample.yaml"
        machine.run("sed", "-i", "s/maxReplicas: 4/maxReplicas: 3/", document)
        machine.run("systemctl", "reload", "headroom@sample")
        self.assertTrue(eventually(lambda: machine.sample()["maxReplicas"] == 3))
        machine.run("sed", "-i", "s/maxReplicas: 3/maxReplicas: -3/", document)
        machine.run("systemctl", "reload", "headroom@sample")
        self.assertTrue(eventually(lambda: "not taken; what ran before goes on" in machine.run(
            "journalctl", "-u", "headroom@sample")))
        self.assertEqual(machine.sample()["maxReplicas"], 3)
        self.assertIn("the document is refused, what ran before goes on: /etc/headroom/sample.yaml:",
                      machine.run("headroom", "status", "sample"))
        machine.run("sed", "-i", "s/maxReplicas: -3/maxReplicas: 4/", document)
        machine.run("systemctl", "reload", "headroom@sample")

    def comes_back(self, machine):
        before = machine.show("headroom@sample", "MainPID")
        machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "headroom@sample")
        self.assertTrue(eventually(
            lambda: machine.show("headroom@sample", "ActiveState") == "active"
            and machine.show("headroom@sample", "MainPID") not in ("0", before)))
        self.assertTrue(eventually(lambda: machine.fails("headroom", "status", "sample") is None
                                   and machine.ready() == 1))

    def tries_again(self, machine):
        """A port that is taken for a while is waited for; a document that is wrong is not."""
        machine.run("cp", "/etc/headroom/sample.yaml", "/etc/headroom/wrong.yaml")
        machine.run("sed", "-i", "s/maxReplicas/mostReplicas/", "/etc/headroom/wrong.yaml")
        self.assertIsNotNone(machine.fails("systemctl", "start", "headroom@wrong"))
        time.sleep(3)
        self.assertEqual(machine.show("headroom@wrong", "ActiveState"), "failed")
        self.assertEqual(machine.show("headroom@wrong", "NRestarts"), "0")
        machine.run("systemctl", "reset-failed", "headroom@wrong")
        machine.run("rm", "/etc/headroom/wrong.yaml")

        machine.run("systemctl", "stop", "headroom@sample")
        taken = subprocess.Popen(machine.command("python3", "-c", TAKE))
        time.sleep(1)
        self.assertIsNotNone(machine.fails("systemctl", "start", "headroom@sample"))
        self.assertEqual(taken.wait(60), 0)
        self.assertTrue(eventually(
            lambda: machine.show("headroom@sample", "ActiveState") == "active"))
        # systemd's own limit would have been five starts in ten seconds.
        self.assertGreater(int(machine.show("headroom@sample", "NRestarts")), 1)
        self.assertTrue(eventually(lambda: machine.fails("headroom", "status", "sample") is None
                                   and machine.ready() == 1))

    def is_activated(self, machine):
        """systemd listens: the first connection starts the service, and none is refused. The page's
        drop-in says where."""
        machine.run("systemctl", "stop", "headroom@sample")
        machine.run("systemctl", "start", "headroom@sample.socket")
        self.assertEqual(machine.show("headroom@sample", "ActiveState"), "inactive")
        self.assertEqual(machine.get(), "200")
        self.assertEqual(machine.show("headroom@sample", "ActiveState"), "active")
        machine.run("systemctl", "restart", "headroom@sample")
        self.assertEqual(machine.get(), "200")

    def upgrades(self, machine):
        """Under requests: none fails, and neither the unit nor a replica is restarted."""
        before = self.what_runs(machine)
        asking = subprocess.Popen(machine.command("python3", "-c", ASK), stdout=subprocess.PIPE,
                                  text=True)
        time.sleep(1)
        machine.run("dpkg", "-i", self.inside(self.second))
        log = ["journalctl", f"_SYSTEMD_INVOCATION_ID={before[0]}", "--grep", "level="]
        done = eventually(lambda: "all that was open is answered" in machine.run(*log), 60)
        time.sleep(1)
        machine.run("touch", "/run/enough")
        good, bad = json.loads(asking.communicate(timeout=60)[0])
        self.assertEqual(bad, [])
        self.assertGreater(good, 50)
        self.assertTrue(done, machine.run(*log))
        self.assertTrue(eventually(lambda: self.what_runs(machine) == before), machine.run(*log))

    @staticmethod
    def what_runs(machine):
        return [machine.show("headroom@sample", what) for what in ("InvocationID", "MainPID")] + \
            [machine.replicas()]

    def goes(self, machine):
        machine.run("systemctl", "stop", "headroom@sample")
        self.assertEqual(machine.show("headroom@sample", "ActiveState"), "inactive")
        self.assertEqual(machine.show("headroom@sample", "Result"), "success")
        machine.run("dpkg", "-i", self.inside(self.second))
        machine.run("systemctl", "start", "headroom@sample")
        machine.run("dpkg", "--remove", "headroom")
        self.assertIsNotNone(machine.fails("pgrep", "headroom"))
        self.assertEqual(machine.show("headroom@sample", "ActiveState"), "inactive")
        self.assertTrue(os.path.exists(f"{self.root}/var/lib/private/headroom/sample/journal.db"),
                        "a removal keeps the state")
        machine.run("dpkg", "--purge", "headroom")
        machine.run("rm", "-rf", "/etc/systemd/system/headroom@sample.socket.d")  # the admin's
        self.assertEqual(self.left(), [])
        self.assertEqual(machine.state(), "running")


if __name__ == "__main__":
    if why := why_not():
        print(f"skipped: {why}")
        sys.exit(77)
    unittest.main()
