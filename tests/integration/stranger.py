"""The stranger's path: in a fresh clone, the commands of docs/getting-started.md alone, each with its
time. Called by scripts/stranger.sh, in the clone; packages are installed where they are missing.
"""

import os
import sys
import tempfile
import time

CLONE = os.getcwd()
BUILT = os.path.join(CLONE, "build", "release")
os.environ.update(HEADROOM=f"{BUILT}/src/headroom", LOAD=f"{BUILT}/bench/headroom-load",
                  EXAMPLE_SERVICE=f"{BUILT}/examples/cpp-service/cpp-service")
import guide  # noqa: E402: it wants to know where the programs will be


class Stranger(guide.Reader):
    """Runs what is marked as not run, too: here it can."""

    patience = 3600

    def run(self, block):
        block.marks = [mark for mark in block.marks if not mark.startswith("not run: ")]
        super().run(block)

    def step(self, command, expected, block):
        began = time.monotonic()
        super().step(command, expected, block)
        if command:
            minutes = (time.monotonic() - began) / 60
            print(f"{minutes:6.1f} min  $ {command}", flush=True)


def main():
    guide.adopt_orphans()
    with open("docs/getting-started.md") as file:
        blocks = guide.blocks(file.read())
    with tempfile.TemporaryDirectory() as scratch:
        stranger = Stranger(CLONE, os.path.join(scratch, "scratch"), {})
        try:
            for block in blocks:
                stranger.run(block)
            stranger.stop()
        finally:
            stranger.close()


if __name__ == "__main__":
    try:
        main()
    except AssertionError as problem:
        sys.exit(f"stranger: {problem}")
