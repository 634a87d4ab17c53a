"""Every command of README.md and docs/*.md is run, and what it prints compared (guide.py says how).

What cannot be run here is marked in its page; the list of it is printed, with the reasons. A page of
which nothing can be run says so before its first block, in an HTML comment of its own:

    <!-- page not run: needs systemd and root -->

DOCS=run.md,watch.md runs these pages alone.
"""

import glob
import os
import re
import shutil
import sys
import tempfile
import unittest

import guide
from harness import HEADROOM, LOAD, SERVICE

# Made by the program from its help and its tables, which have tests of their own.
MADE = ("reference.md", "reasons.md", "verbs.md")
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAMS = {"headroom": HEADROOM, "headroom-load": LOAD, "cpp-service": SERVICE}
NOT_RUN = []


def whole_page(text):
    """Why nothing of the page is run; None: it is."""
    found = re.search(r"(?m)^<!-- page not run: (.+) -->$", text)
    return found and found[1]


def pages():
    wanted = os.environ.get("DOCS")
    for path in [os.path.join(ROOT, "README.md"), *sorted(glob.glob(os.path.join(ROOT, "docs/*.md")))]:
        if not wanted or os.path.basename(path) in wanted.split(","):
            yield path


class Docs(unittest.TestCase):
    maxDiff = None

    def read(self, path):
        """A page in a folder that looks like a clone, with a service called server and shop."""
        with open(path) as file:
            text = file.read()
        if whole_page(text):
            NOT_RUN.append(f"{os.path.relpath(path, ROOT)}: {whole_page(text)}")
            return
        folder = tempfile.mkdtemp(prefix="headroom-docs-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        clone = os.path.join(folder, "headroom")
        os.mkdir(clone)
        for name in os.listdir(ROOT):
            if name not in (".git", "build"):
                os.symlink(os.path.join(ROOT, name), os.path.join(clone, name))
        for name in ("server", "shop", "cart"):
            os.symlink(SERVICE, os.path.join(clone, name))
        reader = guide.Reader(clone, os.path.join(folder, "scratch"), PROGRAMS)
        self.addCleanup(reader.close)
        for block in guide.blocks(text):
            why = block.mark(r"not run: (.+)")
            if why and block.language in ("sh", "console"):
                NOT_RUN.append(f"{os.path.relpath(path, ROOT)}:{block.line}: {why}")
            reader.run(block)
        reader.stop()

    def test_the_comparison_sees_what_differs(self):
        cases = [
            ("the same", ["a 1 → 2"], ["a 1 → 2"], True),
            ("numbers may differ", ["replica 1 ready after 2ms"], ["replica 7 ready after 1.5s"], True),
            ("with a space, too", ["ready after 2 ms"], ["ready after 1.5 s"], True),
            ("one and several", ["→ 1 replica"], ["→ 3 replicas"], True),
            ("but not where a line is a number", ["200"], ["503"], False),
            ("columns may be wider", ["NAME  READY  STATE"], ["NAME     READY   STATE"], True),
            ("other words", ["a trigger fails"], ["a trigger is active"], False),
            ("a line too few", ["a"], ["a", "b"], False),
            ("a line too many", ["a", "b"], ["a"], False),
            ("any lines", ["a", "…", "d"], ["a", "b", "c", "d"], True),
            ("none", ["a", "…"], ["a"], True),
            ("but then this", ["a", "…", "e"], ["a", "b", "c", "d"], False),
            ("anything in a line", ["x … z"], ["x y y z"], True),
        ]
        for why, expected, printed, same in cases:
            with self.subTest(why):
                self.assertEqual(guide.differs(expected, printed) is None, same)

    def test_commands_stand_in_fences(self):
        """An indented block is not run: none of them may look like a command."""
        command = re.compile(r"^    (\$ )?(headroom|make|curl|kubectl|systemctl|nginx|haproxy) ", re.M)
        for path in pages():
            if os.path.basename(path) in MADE:
                continue
            with open(path) as file:
                text = re.sub(r"(?ms)^```.*?^```", "", file.read())
            if whole_page(text):
                continue
            found = command.search(text)
            self.assertIsNone(found, f"{path}: put into ```sh or ```console: {found and found[0]}")

    def test_links_lead_somewhere(self):
        for path in pages():
            with open(path) as file:
                text = re.sub(r"(?ms)^```.*?^```", "", file.read())
            for link in re.findall(r"\]\(([^)\s]+)\)", text):
                target, _, anchor = link.partition("#")
                if re.match(r"\w+:", target):
                    continue
                there = os.path.join(os.path.dirname(path), target) if target else path
                self.assertTrue(os.path.exists(there), f"{path}: {link}")
                if anchor and there.endswith(".md"):
                    with open(there) as file:
                        heads = re.findall(r"(?m)^#+ (.+)$", file.read())
                    anchors = [re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-")
                               for head in heads]
                    self.assertIn(anchor, anchors, f"{path}: {link}")


def add_page(path):
    def test(self):
        self.read(path)

    name = re.sub(r"\W", "_", os.path.relpath(path, ROOT).removesuffix(".md"))
    setattr(Docs, f"test_page_{name}", test)


for each in pages():
    add_page(each)


if __name__ == "__main__":
    guide.adopt_orphans()
    result = unittest.main(verbosity=2, exit=False).result
    print(f"\nNot run here, {len(NOT_RUN)} blocks:", *NOT_RUN, sep="\n  ", file=sys.stderr)
    sys.exit(not result.wasSuccessful())
