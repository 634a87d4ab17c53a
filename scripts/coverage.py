#!/usr/bin/env python3
"""Lines and branches reached, by file and in sum, from `llvm-cov export`; and each place not reached.

A branch is one outcome of a condition as it is written. What a template's instances reach counts
together. A room's headers are seen through the links in the build tree.
"""
import collections
import json
import os
import sys


def places(export, root):
    """({file: {line: count}}, {file: {(line, column, outcome): count}}).

    Headers are seen through the links of the build tree's include folders.
    """
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    branches = collections.defaultdict(lambda: collections.defaultdict(int))
    for unit in export["data"]:
        for file in unit["files"]:
            name = os.path.relpath(os.path.realpath(file["filename"]), root)
            for line, count in by_line(file["segments"]):
                lines[name][line] = max(lines[name][line], count)
        for function in unit["functions"]:
            names = [os.path.relpath(os.path.realpath(file), root) for file in function["filenames"]]
            for line, column, _, _, true, false, file, *_ in function.get("branches", []):
                branches[names[file]][line, column, "true"] += true
                branches[names[file]][line, column, "false"] += false
    return lines, branches


def by_line(segments):
    """A line's count is the largest of the segments that begin on it, or of the one it lies in."""
    begun, wrapped, line = collections.defaultdict(list), None, 0
    for at, _, count, counted, entry, gap in segments:
        for between in range(line + 1, at):
            if wrapped is not None:
                yield between, wrapped
        if begun and line != at:
            yield line, max(begun.pop(line, [0]))
        if counted and entry and not gap:
            begun[at].append(count)
        if wrapped is not None and at != line:
            begun[at].append(wrapped)
        line, wrapped = at, count if counted and not gap else None
    for at, counts in begun.items():
        yield at, max(counts)


def percent(reached, all_of_them):
    return f"{reached}/{all_of_them} {100 * reached / max(all_of_them, 1):5.1f}%"


def main():
    export, root, rooms = json.load(sys.stdin), sys.argv[1], sys.argv[2:]
    lines, branches = places(export, root)
    total, missed = collections.Counter(), []
    print(f"{'file':42} {'lines':>17} {'branches':>17}")
    for name in sorted(lines):
        room = "/".join(name.split("/")[:2])
        if room not in rooms:
            continue
        counts = [len(lines[name]), sum(c > 0 for c in lines[name].values()),
                  len(branches[name]), sum(c > 0 for c in branches[name].values())]
        for key in (room, "in sum"):
            for i, count in enumerate(counts):
                total[key, i] += count
        print(f"{name:42} {percent(counts[1], counts[0]):>17} {percent(counts[3], counts[2]):>17}")
        missed += [f"{name}:{line}: not reached" for line, c in sorted(lines[name].items()) if not c]
        missed += [f"{name}:{line}:{column}: never {outcome}"
                   for (line, column, outcome), c in sorted(branches[name].items()) if not c]
    print()
    for place in missed:
        print(place)
    print()
    for key in (*rooms, "in sum"):
        counts = [total[key, i] for i in range(4)]
        print(f"{key:42} {percent(counts[1], counts[0]):>17} {percent(counts[3], counts[2]):>17}")


main()
