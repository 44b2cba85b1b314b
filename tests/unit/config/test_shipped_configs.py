"""The configuration files that come with the workflow: each loads, merges as promised, and fits its transforms."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from eegwf.checks.study import check_study
from eegwf.dag.flow_reading import read_flow
from eegwf.data.bids import find_recordings
from eegwf.spectrograms.names import POWER_SPECTROGRAMS, SPECTROGRAMS
from eegwf.spectrograms.transforms import make_transform

DATASETS = ("helsinki", "chbmit", "siena", "seizeit2", "tusz")
# They replace the section `dataset` of the file of the data set.
ORIGINAL = ("chbmit", "siena", "tusz", "helsinki")
# Keys of events and patients that the configurations of the data sets leave at their defaults.
OF_EVENTS = {"unannotated": "bckg", "ignored_events": [], "event_tolerance": 0.05, "on_open_event": "error"}
OF_EVENTS |= {"annotations": None, "event_map": {}, "exclude": [], "expected_seizures": {}}


@pytest.fixture
def load(root):
    def load_files(*names, **settings):
        return read_flow(root / "config/config.yaml", [root / f"config/{name}.yaml" for name in names], settings)

    return load_files


def test_every_file_is_known_here(root):
    found = {path.relative_to(root / "config").as_posix() for path in (root / "config").rglob("*.y*ml")}
    assert found == {
        "config.yaml",
        "full.yaml",
        "matrix.yaml",
        *(f"datasets/{name}.yaml" for name in DATASETS),
        *(f"datasets/{name}_original.yaml" for name in ORIGINAL),
    }


@pytest.mark.parametrize(
    "names", [(), ("full",), *((f"datasets/{n}",) for n in DATASETS), *(("full", f"datasets/{n}") for n in DATASETS)]
)
def test_transforms_fit_the_windows(load, names):
    study = load(*names).study
    for name in SPECTROGRAMS:
        transform = make_transform(
            name,
            getattr(study.spectrograms, name),
            study.signals.sfreq,
            round(study.windows.length * study.signals.sfreq),
        )
        assert transform.freqs[-1] <= study.signals.sfreq / 2


@pytest.mark.parametrize("name", DATASETS)
def test_data_set_has_its_own_results_and_no_other_data_set(load, root, name):
    written = yaml.safe_load((root / f"config/datasets/{name}.yaml").read_text())
    assert written["results"] == f"results/{name}"
    for names in [(f"datasets/{name}",), ("full", f"datasets/{name}")]:
        flow = load(*names, data_root="/data")
        dataset = flow.study.model_dump()["dataset"]
        assert dataset == {**OF_EVENTS, **written["dataset"], "root": "/data"}
        assert flow.results == f"results/{name}"
        assert flow.reports()


@pytest.mark.parametrize("name", ORIGINAL)
def test_original_folders_change_the_data_set_only(load, root, name):
    written = yaml.safe_load((root / f"config/datasets/{name}_original.yaml").read_text())
    assert list(written) == ["dataset"] and written["dataset"]["kind"] == "files"
    for before in ([], ["full"]):
        first, second = ([*before, f"datasets/{name}", *more] for more in ([], [f"datasets/{name}_original"]))
        bids, files = (load(*names, data_root="/data").study.model_dump() for names in (first, second))
        dataset = {**OF_EVENTS, **written["dataset"], "root": "/data"}
        assert files["dataset"] == {**dataset, "annotations": {"file": None, **dataset["annotations"]}}
        assert {**bids, "dataset": None} == {**files, "dataset": None}
        assert bids["dataset"]["root"] == "/data" and bids["dataset"]["event_types"] == files["dataset"]["event_types"]


def test_sizes_of_the_full_study(load):
    study = load("full", "datasets/tusz").study
    assert study.windows.length == 20 and study.tuning.n_trials == 100 and study.retrain.n_best == 5
    assert study.training.epochs == 100
    grids = {name: getattr(study.spectrograms, name) for name in SPECTROGRAMS}
    assert {(grid.n_freqs, grid.n_frames) for grid in grids.values()} == {(100, 100)}
    assert {grids[name].f_max for name in POWER_SPECTROGRAMS} == {107.0}
    # Ten models on four inputs, three of them and another one on the time series as well, with two class sets.
    assert len(load("full", "datasets/tusz").reports()) == (10 * 4 + 4) * 2
    assert load("full", "datasets/tusz", folds=10).n_folds == 10
    for model in ("vit", "swin", "transformer", "transcnn", "inception"):
        search = study.models[model].search
        assert all(width % heads == 0 for width in search["width"].choices for heads in search["heads"].choices), model


def test_persons_recorded_twice(load):
    assert load("datasets/chbmit").study.patients == {"sub-21": "sub-01"}


@pytest.mark.slow
def test_snakemake_merges_as_we_do(root, tmp_path):
    """A real Snakemake with --configfile: the job gets the file's data set and class sets, whole."""
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "classes: {3class: {rest: [bckg], all: [sz]}}\nmodels: {vit: {search: {lr: {choices: [0.1, 0.2]}}}}\n"
        "matrix: {models: [vit], spectrograms: [mel]}\n"
    )
    helsinki = root / "config/datasets/helsinki.yaml"
    (tmp_path / "data").mkdir()
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "-n",
        "-p",
        "--snakefile",
        root / "Snakefile",
        "--directory",
        tmp_path,
    ]
    command += ["--configfile", helsinki, mine, "--config", f"data_root={tmp_path / 'data'}"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    given = {}
    for line in run.stdout.splitlines():
        for script in ("windows", "tune", "select_best", "evaluate"):
            if f"run_script {script} " in line and (script == "windows" or "_3class" in line):
                words = shlex.split(line)
                given[script] = json.loads(words[words.index("--settings") + 1])
    written = yaml.safe_load(helsinki.read_text())
    dataset = {**OF_EVENTS, **written["dataset"], "root": str(tmp_path / "data")}
    assert given["windows"]["dataset"] == dataset
    assert given["windows"]["windows"]["length"] == 4
    assert list(given["evaluate"]["classes"].items()) == [("rest", ["bckg"]), ("all", ["sz"])]
    assert list(given["tune"]["classes"].items()) == [("rest", ["bckg"]), ("all", ["sz"])]
    default = yaml.safe_load((root / "config/config.yaml").read_text())["models"]["vit"]["search"]
    search = given["tune"]["space"]["search"]
    assert search["lr"] == {"choices": [0.1, 0.2]}
    assert search["label_smoothing"]["high"] == default["label_smoothing"]["high"]


def test_helsinki(root, data_root):
    flow = read_flow(
        root / "config/config.yaml", [root / "config/datasets/helsinki.yaml"], {"data_root": data_root / "helsinki"}
    )
    found = check_study(flow)
    # One of the seizures lasts less than half of a window.
    assert not found.problems
    (warning,) = found.warnings
    assert warning.startswith("seizures: no window has the label of 1 of 30 annotated seizures (sub-04_task-sz: 1)")
    facts = "\n".join(found.facts)
    assert "62 recordings, 62 of them fit for use, of 62 patients, 31.0 min" in facts
    assert "bckg 12.7 min" in facts and "sz 12.4 min" in facts and "windows: 868 of 4 s" in facts


@pytest.mark.parametrize(
    ("name", "montage"), [("chbmit", "18 derivations (banana18)"), ("siena", "20 derivations (tcp20)")]
)
def test_real_headers_give_the_montage_of_their_config(root, data_root, tmp_path, name, montage):
    files = sorted((data_root / "mini_edf" / name).rglob("*.edf"))
    for number, path in enumerate(files):
        patient = f"sub-{number % 5 + 1:02d}"
        base = tmp_path / patient / "eeg" / f"{patient}_task-szMonitoring_run-{number:02d}"
        base.parent.mkdir(parents=True, exist_ok=True)
        Path(f"{base}_eeg.edf").symlink_to(path)
        Path(f"{base}_events.tsv").write_text("onset\tduration\teventType\n0\t1\tsz_foc_ia\n")
    assert len(find_recordings(tmp_path)) == len(files)
    settings = {"data_root": tmp_path, "windows": {"length": 1, "step": 1, "guard": 0}}
    settings["spectrograms"] = {"mel": {"window": 1, "f_min": 1}}
    flow = read_flow(root / "config/config.yaml", [root / f"config/datasets/{name}.yaml"], settings)
    # The samples of these files are not those of the recordings, whose copies of T8-P8 are equal.
    found = check_study(flow, samples=False)
    assert not found.problems
    # Without sub-21, the entry of chbmit.yaml has no effect.
    assert not found.warnings
    assert ("patients: sub-21: not in the data set; no effect" in found.facts) == (name == "chbmit")
    assert any(montage in line for line in found.facts)
