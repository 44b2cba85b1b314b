"""Public docstrings are complete: parameters, return value and errors, in NumPy style."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for package in ("eegwf", "bench") for path in (ROOT / package).rglob("*.py"))
# Arguments that Snakemake passes to functions of a rule; their meaning is the same everywhere.
SNAKEMAKE = ("wildcards", "input", "output", "attempt")
SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)


def sections(text: str) -> dict[str, str]:
    """Sections of a docstring by their headings."""
    parts = SECTION.split("\n".join(line.rstrip() for line in text.splitlines()))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def parameters(function: ast.FunctionDef) -> list[str]:
    """Names of a function's parameters, without `self`, `cls` and those that Snakemake passes."""
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    every += [one for one in (function.args.vararg, function.args.kwarg) if one]
    return [one.arg for one in every if one.arg not in ("self", "cls", *SNAKEMAKE)]


def described(section: str) -> set[str]:
    """Names that a section describes: the lines that are not indented."""
    lines = [line.partition(" : ")[0] for line in section.splitlines() if line and not line.startswith(" ")]
    return {name.strip().lstrip("*") for line in lines for name in line.split(",")}


def raises(function: ast.FunctionDef) -> bool:
    """Whether the function itself raises an error that its caller may expect."""
    names = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            names.add(node.exc.func.id)
    return bool(names - {"AssertionError", "NotImplementedError", "AttributeError"})


def faults(function: ast.FunctionDef, text: str, needs_return: bool = True) -> list[str]:
    """What a docstring of a function with two or more parameters lacks."""
    names, found = parameters(function), sections(text)
    if len(names) < 2:
        return []
    lacking = [f"parameter {name}" for name in names if name not in described(found.get("Parameters", ""))]
    returned = function.returns is not None and ast.unparse(function.returns) not in ("None", "NoReturn")
    if needs_return and returned and not {"Returns", "Yields"} & set(found):
        lacking.append("Returns")
    if raises(function) and "Raises" not in found:
        lacking.append("Raises")
    return lacking


def check(path: Path) -> list[str]:
    """Faults of the public docstrings of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lacking = [] if ast.get_docstring(tree) else [f"{path.name}: no docstring"]

    def look(node: ast.FunctionDef, place: str, text: str | None, needs_return: bool = True) -> None:
        if not text:
            lacking.append(f"{place}: no docstring")
        else:
            lacking.extend(f"{place}: {fault}" for fault in faults(node, text, needs_return))

    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            look(node, node.name, ast.get_docstring(node))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            text = ast.get_docstring(node)
            if not text:
                lacking.append(f"{node.name}: no docstring")
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                    look(part, node.name, text, needs_return=False)
                elif isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
                    look(part, f"{node.name}.{part.name}", ast.get_docstring(part))
    return lacking


@pytest.mark.parametrize("path", MODULES, ids=[path.relative_to(ROOT).as_posix() for path in MODULES])
def test_public_docstrings_are_complete(path):
    assert check(path) == []
