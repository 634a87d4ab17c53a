#!/usr/bin/env python3
"""Makes the sample of cases that is kept here from whole files of them.

    tests/conformance/sample.py --bytes 2000000 FILE…

Each FILE (*.jsonl.gz) becomes a file of its name beside this script, gzip, all together at most so
many bytes. Every file may take the same; what a small one leaves over goes to the others. Cases are
taken evenly from the first to the last, as many as fit. The same files and budget give the same
bytes.
"""

import argparse
import gzip
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def compressed(lines):
    return subprocess.run(["gzip", "-n9"], input=b"".join(lines), stdout=subprocess.PIPE, check=True).stdout


def evenly(lines, count):
    return [lines[i * len(lines) // count] for i in range(count)]


def most_that_fit(lines, budget):
    """The compressed sample, as large as fits."""
    whole = compressed(lines)
    if len(whole) <= budget:
        return whole, len(lines)
    best, fits, too_many = b"", 0, len(lines)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        made = compressed(evenly(lines, middle))
        if len(made) <= budget:
            best, fits = made, middle
        else:
            too_many = middle
    return best, fits


def main():
    parser = argparse.ArgumentParser(description="A sample of conformance cases (README.md).")
    parser.add_argument("--bytes", type=int, default=2_000_000, help="of all files together (default: 2000000)")
    parser.add_argument("files", nargs="+", metavar="FILE", type=pathlib.Path, help="*.jsonl.gz")
    given = parser.parse_args()
    files = sorted(given.files, key=lambda f: (f.stat().st_size, f.name))
    left = given.bytes
    for number, file in enumerate(files):
        if file.resolve().parent == HERE:
            sys.exit(f"{file}: is the sample itself")
        lines = gzip.open(file).read().splitlines(keepends=True)
        made, count = most_that_fit(lines, left // (len(files) - number))
        if not count:
            sys.exit(f"{file}: not one case fits, expected a larger --bytes")
        (HERE / file.name).write_bytes(made)
        left -= len(made)
        print(f"{file.name}: {count} of {len(lines)} cases, {len(made)} bytes")
    print(f"{given.bytes - left} bytes in all")


if __name__ == "__main__":
    main()
