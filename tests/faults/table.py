#!/usr/bin/env python3
"""Prints the README's table of faults from the tests themselves: @pytest.mark.fault(row, fault, how injected), and the first line
of the docstring, which says what holds.

table.py           prints the table
table.py --write   writes it into README.md, between `<!-- table faults -->` and `<!-- end -->`
"""
import ast
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "README.md"
BLOCK = re.compile(r"(<!-- table faults -->\n)(.*?)(<!-- end -->)", re.S)
WANTED = {*range(1, 12), *range(13, 32), *range(33, 45)}


def constants(tree):
    """Values of the module's names that are plain."""
    found = {}
    for line in tree.body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name) and isinstance(line.value, ast.Constant):
            found[line.targets[0].id] = line.value.value
    return found


def value(node, names):
    """Of a literal, which may have such names in it."""
    return eval(compile(ast.Expression(node), "marker", "eval"), {"__builtins__": {}}, names)


def markers(text, file):
    """(row, fault, injected, what holds, test) of each marked function."""
    tree = ast.parse(text)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for mark in function.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault":
                row, fault, injected = (value(argument, constants(tree)) for argument in mark.args)
                holds = (ast.get_docstring(function) or "").partition("\n\n")[0].replace("\n", " ").rstrip(".")
                yield row, fault, injected, holds, f"{file}::{function.name}"


def faults(directory=HERE):
    """Of all tests, by row, then as they stand."""
    found = [row for file in sorted(directory.glob("test_*.py")) for row in markers(file.read_text(), file.name)]
    return sorted(found, key=lambda row: row[0])


def upper(text):
    return text[:1].upper() + text[1:]


def table(found):
    lines = ["| row | fault | how injected | what holds |", "| --- | --- | --- | --- |"]
    for row, fault, injected, holds, _ in found:
        cells = [str(row), *(upper(cell).replace("|", "\\|").replace("<", "&lt;") for cell in (fault, injected, holds))]
        lines.append("| " + " | ".join(cells) + " |")
    return "".join(line + "\n" for line in lines)


def uncovered(found):
    return sorted(WANTED - {row for row, *_ in found})


def differs(page):
    blocks = BLOCK.findall(page)
    return len(blocks) != 1 or blocks[0][1] != table(faults())


def main():
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(BLOCK.sub(lambda m: m[1] + table(faults()) + m[3], PAGE.read_text()))
        return 0
    print(table(faults()), end="")
    print(f"no test of rows {uncovered(faults())}", file=sys.stderr) if uncovered(faults()) else None
    return 0


if __name__ == "__main__":
    sys.exit(main())
