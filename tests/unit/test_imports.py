"""Imports go one way: a package imports from those before it, no module imports in a circle, and planning is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What each package may import, besides itself; `docs/architecture.md` has the same order.
BASE = {"config", "storage"}
SIGNAL = {*BASE, "compute", "data", "spectrograms"}
ALLOWED = {
    "storage": set(),
    "config": set(),
    "compute": {"storage"},
    "models": set(),
    "data": BASE,
    "convert": {*BASE, "data"},
    "spectrograms": {*BASE, "compute", "data"},
    "training": {*SIGNAL, "models"},
    "tuning": {*SIGNAL, "models", "training"},
    "evaluation": {*BASE, "data", "training"},
    "attribution": {*SIGNAL, "models", "training", "evaluation"},
    "prediction": {*SIGNAL, "models", "training", "evaluation", "attribution"},
    "report": {*SIGNAL, "models", "training", "tuning", "evaluation", "attribution"},
    "provenance": BASE,
    "plan": {*BASE, "data", "spectrograms", "models"},
    "dag": {*BASE, "data", "spectrograms", "models", "plan", "provenance"},
    "checks": {*SIGNAL, "models", "plan", "dag"},
    "jobs": {
        *(*SIGNAL, "models", "training", "tuning", "evaluation", "attribution", "prediction", "report"),
        *("provenance", "plan", "dag"),
    },
}
AT_THE_TOP = {"__init__", "cli", "errors", "progress", "runs", "seeds"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for folder in ("eegwf", "bench") for path in (ROOT / folder).rglob("*.py")}


def imports(path: Path) -> set[str]:
    """Modules of the project that a module imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names & set(MODULES)


def package(module: str) -> str:
    """Package of a module of `eegwf`; empty for those at its top and for other modules."""
    part = module.split(".")[1] if module.startswith("eegwf.") else ""
    return part if (ROOT / "eegwf" / part).is_dir() else ""


def test_packages_and_modules_at_the_top():
    assert {path.stem for path in (ROOT / "eegwf").glob("*.py")} == AT_THE_TOP
    assert {path.parent.name for path in (ROOT / "eegwf").glob("*/__init__.py")} == set(ALLOWED)


@pytest.mark.parametrize("name", ALLOWED)
def test_a_package_imports_only_from_those_before_it(name):
    wrong = [
        f"{module} imports {imported}"
        for module, path in MODULES.items()
        if module.startswith(f"eegwf.{name}.") or module == f"eegwf.{name}"
        for imported in imports(path)
        if imported.startswith("eegwf.") and package(imported) not in {*ALLOWED[name], name, ""}
    ]
    assert wrong == []


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A circle of imports; empty if there is none."""
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for following in sorted(graph[node]):
            if found := visit(following, [*path, node]):
                return found
        done.add(node)
        return []

    return next((found for node in graph if (found := visit(node, []))), [])


def test_no_module_imports_in_a_circle():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    # A module does not import the package it is in.
    graph = {
        name: {found for found in imports(path) if not name.startswith(f"{found}.")} for name, path in MODULES.items()
    }
    assert circle({name: found - {name} for name, found in graph.items()}) == []


def test_no_package_imports_in_a_circle():
    graph: dict[str, set[str]] = {name: set() for name in ALLOWED}
    for module, path in MODULES.items():
        if package(module):
            graph[package(module)] |= {package(found) for found in imports(path)} - {"", package(module)}
    assert circle(graph) == []


def test_planning_is_light():
    """Every cluster job parses the Snakefile again, so that it must not import the libraries of the jobs."""
    modules = "eegwf.dag.flow, eegwf.dag.startup, eegwf.dag.dry_run, eegwf.dag.job_shell, eegwf.plan.forecast"
    code = f"import sys, {modules}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "sklearn", "mne", "optuna", "timm", "matplotlib"} & set(loaded)
