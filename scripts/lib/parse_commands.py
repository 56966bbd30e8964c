"""The commands that only parse each file of a compilation database, one a line: parse_commands.py COMPILE_COMMANDS.JSON"""
import json
import shlex
import sys

with open(sys.argv[1], encoding="utf-8") as database:
    for entry in json.load(database):
        if not entry["file"].endswith(".cc"):
            continue
        words = shlex.split(entry["command"])
        if "-o" in words:
            at = words.index("-o")
            del words[at:at + 2]
        # The compiler cache in front keeps nothing of what is only parsed.
        while "clang" not in words[0]:
            words.pop(0)
        print(shlex.join(["cd", entry["directory"]]), "&&", shlex.join([*words, "-fsyntax-only"]))
