"""The GPU benchmark: its recorder and time limits, and a run of its sections on the CPU."""

import importlib
import json
import math
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from bench import gpu
from bench.gpu_sections.context import Context
from bench.gpu_sections.recording import Deadline, Recorder, SectionTimeout, run_section, time_limit

ON_CPU = (
    "versions",
    "ceilings",
    "loops",
    "profile",
    "spectrograms",
    "packed",
    "concurrent",
    "search",
    "tests",
    "largest",
)
GPU_ONLY = ("graphs", "syncs", "compiled")
BENCHMARK_LIBRARIES = ("librosa", "pywt", "ssqueezepy")
NOTEBOOK_TEXT = """Some text.

```python
def patchify(images, n_patches):
    size = images.shape[-1] // n_patches
    patches = images.unfold(2, size, size).unfold(3, size, size)
    return patches.permute(0, 2, 3, 1, 4, 5).reshape(len(images), n_patches**2, -1).cpu()

class ViT(nn.Module):
    def __init__(self, shape, n_patches, width):
        super().__init__()
        self.layer = nn.Linear(shape[0] * (shape[1] // n_patches) ** 2, 2)

    def forward(self, images):
        return self.layer(patchify(images, self.n_patches)).mean(dim=1)
```
"""


def figures(folder: Path) -> dict:
    """Figures that are on disk."""
    return json.loads((folder / "gpu.json").read_text())


def leaves(value):
    """Numbers, texts and other values within nested figures."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def deadline(seconds: float = 100.0) -> Deadline:
    """Deadline of a run that starts now."""
    return Deadline(seconds, time.monotonic())


def run_benchmark(arguments: list[str]) -> None:
    """Run the command in this process, without keeping its filter of warnings."""
    with warnings.catch_warnings():
        gpu.run(gpu.parse(arguments))


def fail() -> None:
    """Raise an error with a message of two lines."""
    raise ValueError("first line\nsecond line")


def test_every_figure_is_on_disk_as_soon_as_it_is_recorded(tmp_path):
    recorder = Recorder(tmp_path / "new")
    recorder.put("speed", {"a": 1.5})
    assert figures(tmp_path / "new") == {"speed": {"a": 1.5}}
    recorder.put("speed", {"b": 2})
    recorder.put("exact", {"c": True})
    assert figures(tmp_path / "new") == {"speed": {"a": 1.5, "b": 2}, "exact": {"c": True}}
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["gpu.json", "gpu.txt", "profile.txt"]


def test_report_of_an_earlier_run_is_removed(tmp_path, capsys):
    for text in ("earlier", "later"):
        recorder = Recorder(tmp_path)
        recorder.line(text)
        recorder.table(text, "table")
    assert (tmp_path / "gpu.txt").read_text() == "later\n"
    assert (tmp_path / "profile.txt").read_text() == "later\ntable\n\n"
    assert capsys.readouterr().out == "earlier\nlater\n"


def test_guard_records_an_error_with_its_place(tmp_path):
    recorder = Recorder(tmp_path)
    with recorder.guard("speed", "vit"):
        fail()
    error = figures(tmp_path)["speed"]["error: vit"]
    assert error.startswith("ValueError: first line second line (") and Path(__file__).name in error
    assert (tmp_path / "gpu.txt").read_text() == "  ERROR vit: ValueError: first line second line\n"


def test_error_in_a_section_does_not_end_the_others(tmp_path):
    recorder = Recorder(tmp_path)
    run_section("first", fail, 10, recorder, deadline(), "fails")
    run_section("second", lambda: recorder.put("second", {"rate": 3.0}), 10, recorder, deadline(), "works")
    assert "ValueError: first line" in figures(tmp_path)["first"]["error"]
    assert figures(tmp_path)["second"]["rate"] == 3.0
    lines = (tmp_path / "gpu.txt").read_text().splitlines()
    assert lines == ["first: fails", "  ERROR ValueError: first line second line", "second: works"]


def test_import_error_in_a_section_does_not_end_the_others(tmp_path, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    broken = gpu.Section("broken", "no_such_module.run", 10, "can't be imported")
    monkeypatch.setattr(gpu, "SECTIONS", (broken, *gpu.SECTIONS))
    monkeypatch.setattr(gpu, "STARTED", time.monotonic())
    run_benchmark(["--cpu", "--quick", "--only", "broken,versions", "--output", str(tmp_path)])
    written = figures(tmp_path)
    assert "ModuleNotFoundError" in written["broken"]["error"]
    assert written["versions"]["torch"] and "error" not in written["versions"]
    assert list(written) == ["broken", "versions", "total"]


def test_section_ends_at_its_time_limit(tmp_path):
    recorder = Recorder(tmp_path)

    def endless() -> None:
        recorder.put("slow", {"figure": 1})
        while True:
            with recorder.guard("slow", "a part"):  # it must not catch the end of the time
                time.sleep(0.01)

    started = time.monotonic()
    run_section("slow", endless, 0.3, recorder, deadline())
    assert time.monotonic() - started < 5
    assert figures(tmp_path)["slow"] == {"figure": 1, "timeout": "after 0 s", "seconds": pytest.approx(0.3, abs=1)}
    assert "  time limit reached after 0 s" in (tmp_path / "gpu.txt").read_text()


def test_section_is_skipped_without_time_left(tmp_path):
    recorder = Recorder(tmp_path)
    run_section("late", lambda: pytest.fail("it ran"), 10, recorder, Deadline(100, time.monotonic() - 96))
    assert figures(tmp_path) == {"late": {"skipped": "no time left"}}


def test_end_of_the_run_limits_a_section(tmp_path):
    recorder = Recorder(tmp_path)
    now = time.monotonic()
    run_section("long", lambda: time.sleep(30), 60, recorder, Deadline(100, now - 94.5))
    assert "timeout" in figures(tmp_path)["long"]
    assert 5 <= time.monotonic() - now < 20


def test_time_limit_restores_the_signal_handler():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(SectionTimeout), time_limit(0.05):
        time.sleep(10)
    with time_limit(100):
        pass
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_deadline_counts_from_the_start():
    limit = Deadline(60, time.monotonic() - 20)
    assert limit.elapsed == pytest.approx(20, abs=5)
    assert limit.remaining == pytest.approx(40, abs=5)


def test_section_for_a_gpu_is_skipped_on_the_cpu(tmp_path):
    recorder = Recorder(tmp_path)
    assert Context("cpu", True, recorder).skip_without_gpu("graphs")
    assert figures(tmp_path) == {"graphs": {"skipped": "needs a GPU"}}
    assert not Context("cuda", True, recorder).skip_without_gpu("syncs")


def test_run_without_a_gpu_needs_the_option_cpu(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    monkeypatch.setenv("OUT", str(tmp_path))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SystemExit) as stopped:
        run_benchmark([])
    assert stopped.value.code == 3
    assert "use --cpu" in capsys.readouterr().out and "use --cpu" in (tmp_path / "gpu.txt").read_text()


def test_unknown_section_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        gpu.parse(["--only", "speed,sped"])
    error = capsys.readouterr().err
    assert "no section 'sped'" in error and "compiled" in error
    assert gpu.parse(["--only", "speed, exact"]).only == ["speed", "exact"]


def test_list_names_every_section(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench.gpu", "--list"])
    gpu.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [section.name for section in gpu.SECTIONS]


@pytest.mark.parametrize("section", gpu.SECTIONS, ids=lambda section: section.name)
def test_function_of_every_section_exists(section):
    module, function = section.function.split(".")
    assert callable(getattr(importlib.import_module(f"bench.gpu_sections.{module}"), function))


@pytest.mark.slow
def test_sections_run_on_the_cpu(tmp_path, root):
    # The libraries that only the comparison of spectrograms needs must not be imported.
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    for name in BENCHMARK_LIBRARIES:
        (blocked / f"{name}.py").write_text("raise ImportError('blocked')\n")
    text, output = tmp_path / "notebook.md", tmp_path / "output"
    text.write_text(NOTEBOOK_TEXT)
    command = [sys.executable, "-m", "bench.gpu", "--cpu", "--quick", "--only", ",".join([*ON_CPU, *GPU_ONLY])]
    command += ["--output", str(output), "--notebook-text", str(text)]
    environment = {**os.environ, "PYTHONPATH": str(blocked)}
    finished = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr[-2000:]
    report, written = (output / "gpu.txt").read_text(), figures(output)
    assert "ERROR" not in report, report
    assert list(written) == [*ON_CPU, *GPU_ONLY, "total"]
    for name in ON_CPU:
        unfinished = {"error", "timeout", "skipped"} & set(written[name])
        assert not unfinished and not any(key.startswith("error") for key in written[name]), written[name]
        numbers = [value for value in leaves(written[name]) if isinstance(value, int | float)]
        assert len(numbers) > 1 and all(math.isfinite(number) for number in numbers), written[name]
    for name in GPU_ONLY:
        assert written[name]["skipped"] == "needs a GPU"
    assert written["loops"]["ViT of the notebook text"]["windows on cpu"] > 0
    assert written["tests"]["returncode"] == 0
    assert written["search"]["vit"]["windows"] > 0
    assert "aten::" in (output / "profile.txt").read_text()
