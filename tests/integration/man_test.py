"""The manual pages, held to what man and mandoc complain of."""

import os
import shutil
import subprocess
import tempfile
import unittest

from harness import HEADROOM


class Man(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="headroom-man-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        subprocess.check_call([HEADROOM, "man", "--into", self.folder])
        self.pages = sorted(os.listdir(self.folder))

    def complaints(self, *command):
        done = subprocess.run([*command], capture_output=True, text=True, cwd=self.folder,
                              env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=60)
        return done.stderr if command[0] == "man" else done.stdout + done.stderr

    def test_every_verb_has_a_page_that_says_what_a_page_must(self):
        self.assertIn("headroom.1", self.pages)
        self.assertIn("headroom-run.1", self.pages)
        for page in self.pages:
            with self.subTest(page=page), open(os.path.join(self.folder, page)) as file:
                text = file.read()
                for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES",
                                "EXIT STATUS", "SEE ALSO"):
                    self.assertIn(f".SH {section}\n", text)

    def test_nothing_is_complained_of(self):
        for tool in (["man", "-l", "--warnings"], ["mandoc", "-Tlint"]):
            if shutil.which(tool[0]) is None:
                self.skipTest(f"no {tool[0]}")
            for page in self.pages:
                with self.subTest(page=page, tool=tool[0]):
                    self.assertEqual(self.complaints(*tool, page), "")

    def test_the_same_time_makes_the_same_pages(self):
        again = os.path.join(self.folder, "again")
        for folder in (self.folder, again):
            subprocess.check_call([HEADROOM, "man", "--into", folder],
                                  env={**os.environ, "SOURCE_DATE_EPOCH": "86400"})
        for page in self.pages:
            with open(os.path.join(self.folder, page)) as one, open(os.path.join(again, page)) as other:
                text = one.read()
                self.assertEqual(text, other.read())
                self.assertIn("1970-01-02", text)


if __name__ == "__main__":
    unittest.main()
