"""Combinations, targets and files of a study, and the form of rules and scripts."""

import json
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

from eegwf.dag.combinations import classical
from eegwf.dag.flow import Flow
from eegwf.dag.flow_reading import read_flow
from eegwf.dag.stages import STAGES
from eegwf.errors import InputError
from eegwf.models.registry import MODELS

JOB = SimpleNamespace(model="vit", spectrogram="mel", classes="2class", fold="1")


@pytest.fixture
def flow_of(root):
    def read(**settings) -> Flow:
        return read_flow(root / "config/config.yaml", [], settings)

    return read


@pytest.mark.parametrize(
    ("target", "instead"),
    [
        ("results/vti_mel_2class/report.html", "no model 'vti'; choose one of lstm, transformer, vit, swin"),
        (
            "results/vit_mle_2class/fold1/tune/best.json",
            "no spectrogram 'mle'; choose one of mel, stft, cwt, acf, concat",
        ),
        ("results/lstm_raw_2class/report.html", "lstm does not accept raw; choose one of mel, cwt, stft, concat"),
        ("results/vit_raw_2class/report.html", "vit does not accept raw; choose one of mel, cwt, stft, concat"),
        ("results/vit_mel_4class/metrics.json", "no class set '4class'; choose one of 2class, 3class"),
        ("results/vit-mel-2class/report.html", "expected results/<model>_<spectrogram>_<classes>/report.html"),
        ("elsewhere/vit_mel_2class/report.html", "are in results/"),
    ],
)
def test_senseless_targets_are_refused_in_one_line(flow_of, target, instead):
    with pytest.raises(InputError) as caught:
        flow_of().check_targets(["-n", target])
    assert str(caught.value).startswith(f"{target}: ") and instead in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sensible_targets_and_options_pass(flow_of):
    flow = flow_of()
    flow.check_targets(
        ["-j2", "all", "results/data/folds.tsv", "results/vit_concat_3class/report.html", *flow.reports()]
    )


ALIGNED = {"search": {"normalization": {"choices": ["patients", "aligned"]}}}


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"training": {"normalization": "aligned"}}, "training.normalization"),
        ({"models": {"vit": {"fixed": {"normalization": "aligned"}}}}, "models.vit.fixed.normalization"),
        ({"models": {"vit": ALIGNED}}, "models.vit.search.normalization"),
    ],
)
def test_spectrograms_are_not_aligned(flow_of, settings, place):
    message = f"{re.escape(place)}: 'aligned' is for raw, the time series, but vit_mel_3class has mel; choose another"
    with pytest.raises(InputError, match=message) as caught:
        flow_of(matrix={"models": ["vit"], "spectrograms": ["mel"], "classes": ["3class"]}, **settings)
    assert "\n" not in str(caught.value)


def test_time_series_and_models_that_normalize_their_input_may_be_aligned(flow_of):
    matrix = {"models": ["eegnet"], "spectrograms": ["raw"], "classes": ["2class"]}
    flow = flow_of(matrix=matrix, models={"eegnet": ALIGNED})
    flow.check_targets(["results/eegnet_raw_3class/report.html", "results/vit_mel_2class/report.html"])
    with pytest.raises(InputError, match="for raw, the time series, but eegnet_mel_2class has mel"):
        flow.check_targets(["results/eegnet_mel_2class/report.html"])
    baseline = {"models": ["bandpower"], "spectrograms": ["mel"], "classes": ["2class"]}
    flow_of(matrix=baseline, training={"normalization": "aligned"})


def test_folds_are_counted_before_any_job(flow_of, tmp_path):
    assert flow_of(folds=7).n_folds == 7
    assert flow_of(folds="leave-one-patient-out").n_folds == 28
    table = tmp_path / "folds.tsv"
    table.write_text("patient\tfold\nsub-01\t1\nsub-02\t3\nsub-03\t2\n")
    assert flow_of(folds=str(table)).n_folds == 3
    table.write_text("patient\tgroup\nsub-01\t1\n")
    for broken, said in ((table, "no column 'fold'"), (tmp_path / "nothing.tsv", "no table with patient and fold")):
        with pytest.raises(InputError, match=said) as caught:
            flow_of(folds=str(broken))
        assert str(broken) in str(caught.value)
    for name in ("sub-01", "sub-02", "sub-03", "sub-21", "derivatives/sub-04"):
        folder = tmp_path / "bids" / name / "eeg"
        folder.mkdir(parents=True)
        for end in ("eeg.edf", "events.tsv"):
            (folder / f"{folder.parent.name}_task-sz_{end}").touch()
    (tmp_path / "bids" / "sub-05" / "ieeg").mkdir(parents=True)
    dataset = {"kind": "bids", "root": str(tmp_path / "bids")}
    settings = {"dataset": dataset, "folds": "leave-one-patient-out"}
    assert flow_of(**settings).n_folds == 4
    assert flow_of(**settings, patients={"sub-21": "sub-01"}).n_folds == 3
    # `eegwf plan` accepts a data set that is not there.
    absent = {"kind": "bids", "root": str(tmp_path / "nowhere")}
    assert flow_of(dataset=absent, folds="leave-one-patient-out").n_folds == 0


def test_data_digest_changes_with_the_files(flow_of, tmp_path):
    events = tmp_path / "sub-01/eeg/sub-01_task-sz_events.tsv"
    events.parent.mkdir(parents=True)
    events.write_text("onset\tduration\teventType\n")
    flow = flow_of(dataset={"kind": "bids", "root": str(tmp_path)})
    before = flow.data_digest(JOB)
    (tmp_path / "README").write_text("no signal")
    assert flow.data_digest(JOB) == before
    events.write_text("onset\tduration\teventType\n1\t2\tsz\n")
    assert flow.data_digest(JOB) != before


def test_data_digest_does_not_depend_on_other_folders(flow_of, tmp_path):
    """Derivatives, objects of git-annex, and links in circles, which would take forever to walk."""
    folder = tmp_path / "sub-01/eeg"
    folder.mkdir(parents=True)
    (folder / "sub-01_task-sz_eeg.edf").touch()
    (folder / "sub-01_task-sz_events.tsv").touch()
    digest = flow_of(dataset={"kind": "bids", "root": str(tmp_path)}).data_digest
    before = digest(JOB)
    others = [
        "derivatives/clean/sub-01/eeg/sub-01_task-sz_eeg.edf",
        ".git/annex/objects/aa/bb/MD5E-s1--a.edf/MD5E-s1--a.edf",
        "sourcedata/sub-01/eeg/sub-01_task-sz_eeg.vhdr",
        "code/example_events.tsv",
        "sub-01/ieeg/sub-01_task-sz_ieeg.edf",
    ]
    for name in others:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    for number in range(8):
        (tmp_path / f"derivatives/raw{number}").symlink_to("..")
        (folder / f"raw{number}").symlink_to("../..")
    assert digest(JOB) == before
    (folder / "sub-01_task-sz_eeg.edf").write_bytes(b"1")
    assert digest(JOB) != before


def test_data_digest_changes_when_a_link_is_fetched(flow_of, tmp_path):
    folder = tmp_path / "sub-01/ses-01/eeg"
    folder.mkdir(parents=True)
    (folder / "sub-01_ses-01_eeg.edf").symlink_to("../../../.git/annex/objects/a")
    (folder / "sub-01_ses-01_events.tsv").symlink_to("sub-01_ses-01_events.tsv")
    digest = flow_of(dataset={"kind": "bids", "root": str(tmp_path)}).data_digest
    before = digest(JOB)
    (tmp_path / ".git/annex/objects").mkdir(parents=True)
    (tmp_path / ".git/annex/objects/a").write_bytes(b"1")
    assert digest(JOB) != before


def test_default_profile(root):
    text = (root / "profiles/default/profile.yaml").read_text()
    assert yaml.safe_load(text) == {"cores": "all", "rerun-incomplete": True}


def rules(root) -> dict[str, str]:
    found = {}
    for path in sorted((root / "rules").glob("*.smk")):
        text = path.read_text()
        assert not re.search(r"^\s*(def|class|lambda)\b", text, re.MULTILINE), (
            f"{path.name}: code belongs in the library"
        )
        for block in re.split(r"^(?=(?:rule|checkpoint) )", text, flags=re.MULTILINE)[1:]:
            found[f"{path.stem}: {block.split(':')[0]}"] = block.rstrip()
    return found


def test_rules_have_one_form(root):
    found = rules(root)
    assert len(found) >= 9
    for name, block in found.items():
        for part in ("log:", "benchmark:", "message:", "resources:"):
            assert re.search(rf"^\s+{part}", block, re.MULTILINE), f"{name} has no {part}"
        assert "script:" not in block and "run:" not in block, f"{name}: a script runs through shell"
        assert len(block.splitlines()) <= 30, f"{name} has {len(block.splitlines())} lines"


@pytest.mark.slow
def test_scripts_are_thin_and_explain_themselves(root):
    scripts = sorted((root / "workflow/scripts").glob("*.py"))
    for script in scripts:
        assert len(script.read_text().splitlines()) <= 40, script.name
    code = """
import contextlib, io, json, runpy, sys
said = {}
for script in sys.argv[1:]:
    sys.argv = [script, "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        runpy.run_path(script, run_name="__main__")
    said[script] = out.getvalue()
print(json.dumps(said))
"""
    run = subprocess.run([sys.executable, "-c", code, *map(str, scripts)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    for script, text in json.loads(run.stdout).items():
        assert re.search(rf"Example: python workflow/scripts/{script.rsplit('/', 1)[1]} --", text), f"{script}: {text}"
        assert text.startswith("usage: ")


def test_rule_script_and_job_of_a_stage_have_its_name(root):
    for name, block in rules(root).items():
        stage = name.split(": ")[0]
        script = STAGES[stage].script
        assert block.startswith(f"rule {stage}:") and re.findall(r"\brun_script (\w+) ", block) == [script], name
    assert {name.split(": ")[0] for name in rules(root)} == set(STAGES)
    own = {name for name, stage in STAGES.items() if not stage.runs}
    assert own == {script.stem for script in (root / "workflow/scripts").glob("*.py")}
    assert own == {path.stem for path in (root / "eegwf/jobs").glob("*.py")} - {"__init__"}
    shared = {name: stage.runs for name, stage in STAGES.items() if stage.runs}
    assert shared == {f"external_{name}": name for name in ("synthesize", "windows", "spectrogram")}


def test_the_matrix_leaves_out_what_makes_no_sense(flow_of):
    matrix = {"models": ["vit", "eegnet"], "spectrograms": ["mel", "raw"], "classes": ["2class"]}
    assert [report.split("/")[1] for report in flow_of(matrix=matrix).reports()] == [
        "vit_mel_2class",
        "eegnet_mel_2class",
        "eegnet_raw_2class",
    ]


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ({"models": ["vit"], "spectrograms": ["raw"]}, "vit does not accept raw; choose one of mel, stft, cwt, concat"),
        (
            {"models": ["vit"], "spectrograms": ["mel", "raw"]},
            "matrix.spectrograms: vit_raw_3class: vit does not accept raw",
        ),
        ({"models": ["eegnet", "vit"], "spectrograms": ["raw"]}, "vit does not accept raw"),
        ({"models": ["vitt"]}, "no model 'vitt'"),
        ({"classes": ["4class"]}, "no class set '4class'"),
    ],
)
def test_what_has_no_place_in_the_matrix_is_refused(flow_of, matrix, said):
    with pytest.raises(InputError) as caught:
        flow_of(matrix=matrix)
    assert said.replace("mel, stft, cwt", "mel, cwt, stft") in str(caught.value)


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({"convnext": {}}, "models.convnext: no such model; known are bandpower, boosting, eegnet"),
        ({"vit": {"timm": "convnext_atto"}}, "models.vit.timm: vit is a model of its own"),
        ({"bandpower": {"search": {"lr": {"choices": [1]}}}}, "models.bandpower.search.lr: no such parameter"),
        ({"mine": {"timm": "convnext_atto", "fixed": {"width": 3}}}, "models.mine.fixed.width: no such parameter"),
    ],
)
def test_models_that_are_none_are_refused(flow_of, models, said):
    with pytest.raises(InputError) as caught:
        flow_of(models=models)
    assert said in str(caught.value)


def test_a_network_of_timm_is_a_model_with_a_parameter(flow_of):
    flow = flow_of(models={"mine": {"timm": "convnext_atto", "fixed": {"dropout": 0.1}}}, matrix={"models": ["mine"]})
    job = SimpleNamespace(model="mine", spectrogram="mel", classes="2class", fold="1")
    fixed = {"dropout": 0.1, "timm": "convnext_atto"}
    assert json.loads(flow.settings("tune")(job))["space"]["fixed"] == fixed
    assert json.loads(flow.settings("select_best")(job))["fixed"] == fixed
    for stage in ("tune", "retrain"):
        assert flow.code(stage)(job) != flow.code(stage)(JOB)
    assert flow.reports() == ["results/mine_mel_3class/report.html"]


def test_a_fitted_model_asks_for_no_gpu(flow_of):
    job = SimpleNamespace(model="bandpower", spectrogram="raw", classes="2class", fold="1")
    flow = flow_of(device="cuda")
    gpu = flow.resources_for("tune")["gpu"]
    assert gpu(job) == 0 and gpu(JOB) == 1
    for stage in ("tune", "retrain"):
        assert json.loads(flow.settings(stage)(job))["device"] == "cpu"
        assert json.loads(flow.settings(stage)(JOB))["device"] == "cuda"
    assert flow.arrays(job) == ["results/data/windows.npy"] and flow.axes(job) == ["results/data/windows.json"]


def test_a_report_reads_the_files_of_all_classical_combinations_of_its_class_set(flow_of):
    matrix = {"models": ["vit", "bandpower"], "spectrograms": ["mel", "cwt"], "classes": ["2class"]}
    flow = flow_of(matrix=matrix, folds=3, tuning={"inner_folds": 2}, retrain={"n_best": 2})
    choice = "results/baseline_2class.json"
    folders = ["results/bandpower_mel_2class", "results/bandpower_cwt_2class"]
    expected = [choice, *(f"{folder}/{file}" for folder in folders for file in ("predictions.tsv", "metrics.json"))]
    # Also that of a classical combination, and of one outside the matrix.
    for model, spectrogram in (("vit", "mel"), ("bandpower", "cwt"), ("vit", "stft")):
        job = SimpleNamespace(model=model, spectrogram=spectrogram, classes="2class")
        assert flow.baseline.files(job) == expected
        assert flow.baseline.option(job) == f"--baseline {choice}"
    assert flow.baseline.choices() == [choice]
    assert flow.baseline.validations(SimpleNamespace(classes="2class")) == [
        f"{folder}/fold{fold}/retrain/rank{rank}/validation.tsv"
        for folder in folders
        for fold in (1, 2, 3)
        for rank in (1, 2)
    ]


def test_without_a_classical_combination_there_is_no_baseline(flow_of):
    matrix = {"models": ["vit", "bandpower"], "spectrograms": ["mel"], "classes": ["2class"]}
    for flow in (flow_of(matrix=matrix | {"models": ["vit"], "classes": ["3class"]}), flow_of(matrix=matrix)):
        job = SimpleNamespace(model="vit", spectrogram="mel", classes="3class")
        assert flow.baseline.files(job) == flow.baseline.validations(job) == [] and flow.baseline.option(job) == ""
    assert flow_of().baseline.choices() == []


def test_classical_models_are_those_that_are_not_trained_by_gradient_descent(flow_of):
    models = {"mine": {"timm": "convnext_atto"}}
    matrix = {"models": [*MODELS, "mine"], "spectrograms": ["mel", "raw"], "classes": ["2class", "3class"]}
    flow = flow_of(models=models, matrix=matrix)
    expected = [one for one in flow.combinations.all if one.model in MODELS and not MODELS[one.model].gradient_trained]
    assert {"bandpower"} <= {one.model for one in expected} and len(expected) < len(flow.combinations.all)
    for classes in matrix["classes"]:
        same = [one for one in expected if one.classes == classes]
        assert classical(flow.study, flow.combinations.all, classes) == same
        settings = json.loads(flow.settings("baseline")(SimpleNamespace(classes=classes)))
        assert settings["candidates"] == [list(one) for one in same]


def test_stacked_spectrograms_are_those_of_the_configuration(flow_of):
    job = SimpleNamespace(model="vit", spectrogram="concat", classes="2class")
    assert flow_of().arrays(job) == [f"results/spectrograms/{name}.npy" for name in ("mel", "cwt", "stft")]
    flow = flow_of(spectrograms={"concat": ["acf", "mel"]})
    assert flow.arrays(job) == ["results/spectrograms/acf.npy", "results/spectrograms/mel.npy"]
    files = {"data": "x{fold}.npy", "labels": "y{fold}.npy", "patients": "p{fold}.npy"}
    dataset = {"kind": "fold_arrays", "arrays": {"mel": files, "cwt": files}, "label_names": {0: "bckg", 1: "sz"}}
    classes = {"2class": {"background": ["bckg"], "seizure": ["sz"]}}
    given = {"dataset": dataset, "classes": classes, "matrix": {"classes": ["2class"]}}
    assert flow_of(**given).spectrograms == ["mel", "cwt"]
    assert flow_of(**given, spectrograms={"concat": ["cwt", "mel"]}).spectrograms == ["mel", "cwt", "concat"]


def test_the_autocorrelation_is_no_input_of_the_classical_baseline(flow_of):
    matrix = {"models": ["vit", "bandpower"], "spectrograms": ["acf", "concat", "mel"], "classes": ["2class"]}
    names = [report.split("/")[1] for report in flow_of(matrix=matrix).reports()]
    assert "vit_acf_2class" in names and "bandpower_concat_2class" in names and "bandpower_acf_2class" not in names
    stacked = {"spectrograms": {"concat": ["mel", "acf"]}}
    names = [report.split("/")[1] for report in flow_of(matrix=matrix, **stacked).reports()]
    assert [name for name in names if name.startswith("bandpower")] == ["bandpower_mel_2class"]
    with pytest.raises(InputError, match="bandpower does not accept acf; choose one of mel, cwt, stft, concat, raw"):
        flow_of().check_targets(["results/bandpower_acf_2class/report.html"])
    with pytest.raises(InputError, match="does not accept concat of mel, acf; choose one of mel, cwt, stft, raw"):
        flow_of(**stacked).check_targets(["results/bandpower_concat_2class/report.html"])
    job = SimpleNamespace(classes="2class")
    assert flow_of(matrix={**matrix, "models": ["vit"]}, **stacked).splits.arrays(job) == [
        "results/spectrograms/mel.npy"
    ]
    only = flow_of(matrix={"models": ["vit"], "spectrograms": ["acf"], "classes": ["2class"]})
    assert only.splits.arrays(job) == ["results/data/windows.npy"]


def test_splits_by_window_use_a_spectrogram_of_the_matrix(flow_of):
    both = ["2class", "3class"]
    flow = flow_of(matrix={"models": ["vit", "bandpower"], "spectrograms": ["stft", "mel"], "classes": both})
    assert flow.splits.all() == [f"results/split_by_window_{classes}.json" for classes in both]
    job = SimpleNamespace(classes="2class")
    assert flow.splits.arrays(job) == ["results/spectrograms/stft.npy"]
    matrix = {"models": ["eegnet"], "spectrograms": ["raw", "mel"], "classes": ["3class"]}
    flow = flow_of(matrix=matrix)
    assert flow.splits.all() == ["results/split_by_window_3class.json"]
    # Requested by name, also of a class set outside the matrix.
    assert flow.splits.arrays(job) == ["results/data/windows.npy"]
    assert flow.splits.axes(job) == ["results/data/windows.json"]
    settings = json.loads(flow_of(permute_labels=True).splits.settings("split_by_window")(job))
    assert settings == {
        "seed": 1,
        "classes": {"background": ["bckg"], "seizure": ["sz"]},
        "permute_labels": True,
        "confidence": 0.95,
        "timed": True,
        "on_the_fly": None,
    }


def test_spectrograms_on_the_fly_are_computed_from_the_windows(flow_of):
    flow = flow_of(spectrograms={"on_the_fly": True}, matrix={"models": ["vit"], "spectrograms": ["concat"]})
    job = SimpleNamespace(**{**vars(JOB), "spectrogram": "concat"})
    assert flow.arrays(job) == ["results/data/windows.npy"] and flow.axes(job) == ["results/data/windows.json"]
    assert "spectrogram" not in flow.stages and "spectrogram" in flow_of().stages
    for settings in (flow.settings("tune")(job), flow.splits.settings("split_by_window")(job)):
        grids = json.loads(settings)["on_the_fly"]
        assert grids == flow.study.spectrograms.grids("concat").model_dump()
        assert grids["stacked"] == ["mel", "cwt", "stft"] and grids["acf"] is None
    raw = SimpleNamespace(model="eegnet", spectrogram="raw", classes="2class", fold="1")
    assert json.loads(flow.settings("tune")(raw))["on_the_fly"] is None


def test_given_arrays_have_no_signals_for_spectrograms_on_the_fly(flow_of):
    files = {"data": "d{fold}.npy", "labels": "l{fold}.npy", "patients": "p{fold}.npy"}
    dataset = {"kind": "fold_arrays", "arrays": {"mel": files}, "label_names": {0: "bckg", 1: "sz"}}
    with pytest.raises(InputError, match=r"spectrograms\.on_the_fly: a data set of 'fold_arrays' has no signals"):
        flow_of(dataset=dataset, spectrograms={"on_the_fly": True})
