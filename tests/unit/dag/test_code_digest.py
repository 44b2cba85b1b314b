"""The digest of the code: words don't change it, code does, and it covers what runs and no more."""

import ast
import json
import shutil
import subprocess
import sys

import pytest

from eegwf.dag.code_digest import code_digest, reachable_modules
from eegwf.models.registry import MODELS

LOOP = "eegwf/training/trainer.py"
DIGEST = "import sys; from eegwf.dag.code_digest import code_digest; print(code_digest(*sys.argv[1:]))"


@pytest.fixture
def copy(root, tmp_path):
    """A copy of the package and its scripts that a test may change."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "eegwf", tmp_path / "eegwf", ignore=ignore)
    shutil.copytree(root / "workflow" / "scripts", tmp_path / "scripts", ignore=ignore)
    return tmp_path


def digest_of(copy, script="tune", *modules):
    command = [sys.executable, "-c", DIGEST, f"scripts/{script}.py", *modules]
    done = subprocess.run(command, cwd=copy, env={"PYTHONPATH": "."}, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def modules_of(root, script, *modules):
    return set(reachable_modules(root / "workflow" / "scripts" / f"{script}.py", *modules))


def edit(copy, name, old, new):
    path = copy / name
    text = path.read_text()
    assert text.count(old) >= 1, f"{name} no longer contains {old!r}; choose another place to edit"
    path.write_text(text.replace(old, new, 1))


def test_a_copy_elsewhere_has_the_same_digest(root, copy):
    assert digest_of(copy) == code_digest(root / "workflow" / "scripts" / "tune.py")


def test_words_do_not_change_it(copy):
    before = digest_of(copy, "tune", "eegwf.models.vit")
    edit(copy, LOOP, "\n\n\n", "\n# A remark.\n\n\n\n")
    edit(copy, LOOP, '"""Epochs and optimizer steps', '"""Optimizer steps and epochs')
    edit(copy, LOOP, '    """Make an optimizer step', '    """Make one optimizer step')
    edit(copy, "eegwf/data/splits.py", '    """Windows of a class set', '    """The windows of a class set')
    edit(
        copy,
        "eegwf/config/training.py",
        'description="Maximum number of epochs',
        'description="The maximum number of epochs',
    )
    edit(copy, "scripts/tune.py", "    parser =", "    # A remark.\n\n    parser =")
    edit(copy, "eegwf/models/vit.py", "import timm", "# A remark.\nimport timm")
    assert digest_of(copy, "tune", "eegwf.models.vit") == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("eegwf/training/sampling.py", "-(-sum(sizes)", "-(-2 * sum(sizes)"),
        (LOOP, 'average="macro"', 'average="micro"'),
        ("eegwf/training/__init__.py", '"""\n', '"""\nSWITCH = 1\n'),
        ("eegwf/models/vit.py", "width: int = 64", "width: int = 65"),
        ("scripts/tune.py", "type=int", "type=float"),
    ],
)
def test_code_changes_it(copy, name, old, new):
    before = digest_of(copy, "tune", "eegwf.models.vit")
    edit(copy, name, old, new)
    assert digest_of(copy, "tune", "eegwf.models.vit") != before


def test_page_of_a_report_counts_for_the_report_alone(copy):
    before = {script: digest_of(copy, script) for script in ("report", "tune")}
    for name in ("style.css", "scripts/sort_tables.js"):
        edit(copy, f"eegwf/report/{name}", "\n", "\n\n")
        assert digest_of(copy, "report") != before["report"] and digest_of(copy, "tune") == before["tune"]
        before["report"] = digest_of(copy, "report")


def test_a_string_that_is_no_docstring_counts(tmp_path):
    digests = []
    for number, text in enumerate(["def f():\n    x = 'a'\n    return x", "def f():\n    x = 'b'\n    return x"]):
        (tmp_path / str(number)).mkdir()
        script = tmp_path / str(number) / "script.py"
        script.write_text(text)
        digests.append(code_digest(script))
    assert len(set(digests)) == 2


def test_another_stage_or_model_does_not_change_it(copy):
    (copy / "eegwf/models/other.py").write_text("from eegwf.models.vit import ViT\nDEPTH = 1\n")
    before = digest_of(copy, "tune", "eegwf.models.vit")
    (copy / "eegwf/models/other.py").write_text("from eegwf.models.vit import ViT\nDEPTH = 2\n")
    with open(copy / "eegwf/evaluation/scores.py", "a") as file:
        file.write("SWITCH = 1\n")
    edit(copy, "eegwf/__init__.py", "__version__ = ", "__version__ = 'after ' + ")
    assert digest_of(copy, "tune", "eegwf.models.vit") == before
    assert digest_of(copy, "tune", "eegwf.models.other") != before


def test_what_each_stage_runs(root):
    search = modules_of(root, "tune", "eegwf.models.vit")
    assert {
        "eegwf.training.loop",
        "eegwf.tuning.search",
        "eegwf.models.vit",
        "eegwf.storage.files",
        "eegwf.models",
    } <= search
    gathering = modules_of(root, "select_best")
    assert "eegwf.tuning.selection" in gathering
    assert not {"eegwf.training.loop", "eegwf.data.splits", "eegwf.tuning.search"} & gathering
    later = ("eegwf.evaluation", "eegwf.explanation", "eegwf.report", "eegwf.dag.flow", "eegwf.cli")
    for script in ("tune", "select_best", "retrain"):
        assert not [name for name in modules_of(root, script, "eegwf.models.vit") if name.startswith(later)]
    assert not [name for name in modules_of(root, "retrain") if name.startswith("eegwf.tuning")]
    assert {"eegwf.data.windows", "eegwf.data.signals.signal"} <= modules_of(root, "windows")
    assert not [name for name in modules_of(root, "windows") if name.startswith(("eegwf.training", "eegwf.models"))]


def test_no_stage_depends_on_resources_or_the_planner(root):
    for script in (root / "workflow" / "scripts").glob("*.py"):
        assert not [name for name in modules_of(root, script.stem) if name.startswith(("eegwf.dag", "eegwf.plan"))]


def test_no_model_is_in_a_stage_that_was_not_given_it(root):
    modules = {entry.module for entry in MODELS.values()}
    for script in ("tune", "select_best", "retrain", "explain"):
        assert not modules & modules_of(root, script)
    for entry in MODELS.values():
        assert modules & modules_of(root, "tune", entry.module) == {entry.module}


@pytest.mark.slow
def test_every_module_of_the_package_that_runs_is_found(root):
    """The import statements, followed, give what Python really loads."""
    for script in ("windows", "tune", "select_best"):
        program = (
            "import json, runpy, sys; runpy.run_path(sys.argv[1], run_name='script')\n"
            "print(json.dumps([name for name in sys.modules if name.startswith('eegwf.')]))"
        )
        path = root / "workflow" / "scripts" / f"{script}.py"
        command = [sys.executable, "-c", program, str(path)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        assert set(json.loads(done.stdout)) <= modules_of(root, script)


def test_the_package_writes_its_imports_out(root):
    """Relative imports would be overlooked, and the package's own file is left out of the digest: it may do nothing."""
    for path in [*(root / "eegwf").rglob("*.py"), *(root / "workflow" / "scripts").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path}: line {node.lineno}"
    body = ast.parse((root / "eegwf" / "__init__.py").read_text()).body
    assert all(isinstance(node, ast.Expr | ast.Assign | ast.FunctionDef) for node in body)
