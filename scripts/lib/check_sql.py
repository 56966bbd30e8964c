#!/usr/bin/env python3
"""Finds SQL that is put together of anything but constants (reliability P32): a value is bound, never pasted in.

In an expression A + B + … with an SQL literal in it, every part must be a literal or a constant (kName), also inside
std::string(…). fmt::format with an SQL literal is never right. The functions that begin a statement (BEGINS) are called
with constants as well. A function whose parts are constants all the same says so in the line before its expression:
"// SQL of fragments".
Usage: check_sql.py [FOLDER], default src. Prints FILE:LINE for each finding; exit code 1 when there is one."""
import pathlib
import re
import sys

SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|FROM \w+|WHERE|ORDER BY|VALUES)\b")
TOKEN = re.compile(r'//[^\n]*|R"\(.*?\)"|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)\'|[A-Za-z_][\w:.]*|->|\n|\s+|.', re.S)
CONSTANT = re.compile(r"(?:\w+::)*k[A-Z]\w*|rest|CONSTANT|std::string")
BEGINS = re.compile(r"select_(?:adapter|attempt|evaluation|items|judgment|queue|response|round|run|tasks)")
MARK = "// SQL of fragments"
OPENING, CLOSING, BOUNDARY = "([{", ")]}", (",", ";", "return", "=", "?", ":", "<<", "&", "|")


class Chain:
    """Operands joined by "+" at one level of parentheses; each is a list of tokens."""

    def __init__(self, callee, line):
        self.callee, self.line, self.operands = callee, line, [[]]

    def add(self, token):
        self.operands[-1].append(token)

    def has_sql(self):
        return any(token[0] == '"' and SQL.search(token) for operand in self.operands for token in operand)

    def is_constant(self):
        return all(token[0] == '"' or CONSTANT.fullmatch(token) for operand in self.operands for token in operand)


def findings(path):
    line, stack, marked = 1, [Chain("", 1)], False
    found = []

    def close(chain):
        pasted = len(chain.operands) > 1 and not chain.is_constant()
        wrong = chain.has_sql() and (pasted or chain.callee == "fmt::format")
        # "const char* rest" is the declaration, not a call.
        begun_wrong = BEGINS.fullmatch(chain.callee) and not chain.is_constant() and chain.operands[0][:1] != ["const"]
        if (wrong or begun_wrong) and not marked:
            found.append(chain.line)

    for token in TOKEN.findall(path.read_text(encoding="utf-8")):
        if token.startswith("//"):
            marked = marked or token.strip() == MARK
        elif token in OPENING:
            stack.append(Chain(" ".join(stack[-1].operands[-1][-1:]), line))
        elif token in CLOSING and len(stack) > 1:
            inner = stack.pop()
            close(inner)
            # What std::string(…) wraps and what select_NAME(…) is given count as constants where they are; any other
            # call is a value.
            wraps = inner.is_constant() and (inner.callee == "std::string" or BEGINS.fullmatch(inner.callee))
            if wraps:
                stack[-1].operands[-1].pop()
            stack[-1].add("CONSTANT" if wraps else "(…)")
            if wraps and inner.has_sql():
                stack[-1].add('"SELECT"')
        elif token == "+":
            stack[-1].operands.append([])
        elif token in BOUNDARY:
            close(stack[-1])
            stack[-1] = Chain(stack[-1].callee, line)
            if token == ";":
                marked = False
        elif not token.isspace():
            if stack[-1].operands == [[]]:
                stack[-1].line = line
            stack[-1].add(token)
        line += token.count("\n")
    return found


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    found = [f"{path}:{line}: SQL is put together of values: bind them"
             for path in sorted(folder.rglob("*")) if path.suffix in (".cc", ".h") for line in findings(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
