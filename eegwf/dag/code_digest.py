"""Digest of the code that a stage runs, without comments, docstrings and descriptions of settings.

A job is repeated when code that it uses has changed, but not when only documentation has. The modules are found by
following the import statements of a script through this package, also those inside functions.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

from eegwf.storage.files import digest_file

# Files beside the modules of a package that decide its output too.
PAGES = ("*.html", "*.css", "*.tsv", "scripts/*.js")
PACKAGE = Path(__file__).resolve().parents[1]


def code_digest(script: Path | str, *modules: str) -> str:
    """Digest of a script and of every module of `eegwf` that it imports, directly or indirectly.

    Parameters
    ----------
    script
        Path of a Python file.
    *modules
        Modules that it imports by name at run time, such as the model of the job.

    Returns
    -------
    str
        16 hexadecimal digits, equal for equal syntax trees without docstrings.
    """
    script = Path(script)
    parts = [f"{script.name} {_tree_digest(script)}"]
    reached = sorted(reachable_modules(script, *modules).items())
    parts += [f"{name} {_tree_digest(path)}" for name, path in reached]
    for folder in sorted({path.parent for _, path in reached}):
        parts += _page_digests(folder)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def reachable_modules(script: Path | str, *modules: str) -> dict[str, Path]:
    """Modules of `eegwf` that a script imports, directly or indirectly.

    Parameters
    ----------
    script
        Path of a Python file.
    *modules
        Modules that it imports by name at run time.

    Returns
    -------
    dict
        File of each module, by its name.
    """
    reached: dict[str, Path] = {}
    waiting = [*_imports(Path(script)), *modules]
    while waiting:
        name = waiting.pop()
        path = _module_file(name)
        # The package's own file contains its version and the interface for users; stages run none of it.
        if path is None or name in reached or name == "eegwf":
            continue
        reached[name] = path
        waiting += _imports(path)
        if "." in name:
            waiting.append(name.rpartition(".")[0])
    return reached


@cache
def _page_digests(folder: Path) -> list[str]:
    pages = sorted(page for pattern in PAGES for page in folder.glob(pattern))
    return [f"{page.name} {digest_file(page)}" for page in pages]


@cache
def _module_file(name: str) -> Path | None:
    base = PACKAGE.joinpath(*name.split(".")[1:])
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


@cache
def _imports(path: Path) -> tuple[str, ...]:
    names = set()
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return tuple(sorted(name for name in names if name == "eegwf" or name.startswith("eegwf.")))


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def _tree_digest(path: Path) -> str:
    tree = _parse(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            node.body = body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
