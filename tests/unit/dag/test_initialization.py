"""Configurations that can start from the weights of `training.init`, and those that can't."""

from types import SimpleNamespace

import pytest

from eegwf.checks.study import check_study
from eegwf.config.paths import Combination
from eegwf.dag.flow_reading import read_flow
from eegwf.dag.initialization import init_problems
from eegwf.dag.job_shell import bind_paths
from eegwf.dag.stage_config import source_digest
from eegwf.dag.startup import check_initial_weights
from eegwf.errors import InputError
from eegwf.storage.files import read_json, write_json
from tests.helpers.init_source import write_bundle, write_source
from tests.helpers.running import ROOT
from tests.helpers.windowed_signals import background, data_set

CONFIG = ROOT / "config" / "config.yaml"


@pytest.fixture
def source(tmp_path):
    """Folder of a run whose spectrograms, montage and architecture are those of the default configuration."""
    folder = write_source(tmp_path / "theirs", data_set([background(11), background(12)], "src"))
    default = read_flow(CONFIG).study
    path = folder / "final/models.json"
    description = read_json(path)
    description["reading"]["spectrograms"] = default.spectrograms.model_dump(mode="json")
    write_json(path, description)
    model = read_json(folder / "final/model1/model.json")
    shape = {"n_chans": 20, "n_freqs": 32, "n_frames": 32, "n_outputs": 3}
    write_json(folder / "final/model1/model.json", {**model, "shape": shape, "parameters": default.models["vit"].fixed})
    return folder


def flow_of(init, **settings):
    return read_flow(CONFIG, [], {"training": {"init": str(init), "normalization": "patients"}, **settings})


def problems(flow) -> list[str]:
    return init_problems(flow.study, flow.combinations.all)


def test_a_source_that_fits_is_no_problem_and_adds_a_stage(source, tmp_path):
    flow = flow_of(source)
    assert problems(flow) == []
    assert flow.stages.index("initialize") < flow.stages.index("tune")
    assert flow.init_files(None) == [
        f"results/init/{name}" for name in ("model.safetensors", "model.json", "source.json", "fingerprints.npy")
    ]
    assert flow.init_option(None) == "--init results/init"
    assert tmp_path / "theirs" in bind_paths(flow.study), "with the data beside the run"
    random = read_flow(CONFIG)
    assert "initialize" not in random.stages and random.init_files(None) == [] and random.init_option(None) == ""
    assert source_digest(random.study) == ""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"matrix": {"models": ["lstm"]}}, "has the model vit, and lstm_mel_3class has lstm"),
        (
            {"matrix": {"models": ["vit"], "spectrograms": ["cwt"]}},
            "the spectrogram mel, and vit_cwt_3class has cwt",
        ),
        ({"spectrograms": {"mel": {"f_max": 60}}}, "has the spectrograms.mel.f_max"),
        (
            {"spectrograms": {"mel": {"n_frames": 16}}},
            "the spectrograms.mel.n_frames 32, and vit_mel_3class has 16",
        ),
        ({"signals": {"montage": "banana18"}}, "has the signals.montage tcp20, and vit_mel_3class has banana18"),
        ({"matrix": {"models": ["bandpower"]}}, "bandpower is not trained by gradient descent"),
    ],
    ids=["model", "spectrogram", "frequencies", "frames", "montage", "closed form"],
)
def test_what_differs_is_named_with_both_values(source, settings, message):
    (line,) = problems(flow_of(source, **settings))
    assert line.startswith("training.init: ") and message in line and "\n" not in line


def test_stacked_spectrograms_must_be_the_same(source):
    path = source / "final/models.json"
    description = read_json(path)
    del description["reading"]["spectrograms"]["concat"]  # written before there was a choice
    write_json(path, {**description, "spectrogram": "concat"})
    matrix = {"models": ["vit"], "spectrograms": ["concat"]}
    assert problems(flow_of(source, matrix=matrix)) == []
    (line,) = problems(flow_of(source, matrix=matrix, spectrograms={"concat": ["mel", "stft"]}))
    assert "has the spectrograms.concat ['mel', 'cwt', 'stft'], and vit_concat_3class has ['mel', 'stft']" in line


def test_a_changed_source_repeats_the_job_that_reads_it(source, tmp_path):
    before = source_digest(flow_of(source).study)
    assert source_digest(flow_of(source).study) == before
    (source / "final/model1/model.safetensors").write_bytes(b"other")
    assert source_digest(flow_of(source).study) != before
    bundle = write_bundle(source, tmp_path / "models.zip")
    assert source_digest(flow_of(bundle).study) != source_digest(flow_of(tmp_path / "none").study)


def test_given_arrays_have_no_initial_weights(source):
    arrays = {"mel": {"data": "{fold}.npy", "labels": "l{fold}.npy", "patients": "p{fold}.npy"}}
    dataset = {"kind": "fold_arrays", "arrays": arrays, "label_names": {0: "bckg", 1: "sz"}}
    with pytest.raises(InputError, match=r"training\.init: the patients of 'fold_arrays' can't be compared"):
        flow_of(source, dataset=dataset)


class TestCheck:
    """`eegwf check` before the run."""

    def test_a_source_that_fits_is_a_fact(self, source):
        findings = check_study(flow_of(source))
        assert not findings.problems
        assert any(line.startswith(f"training.init: {source}, vit on mel, classes backgr") for line in findings.facts)

    def test_a_missing_source_is_a_problem(self, tmp_path):
        (line,) = check_study(flow_of(tmp_path / "none")).problems
        assert "no such run or bundle" in line

    def test_searched_shapes_are_a_problem(self, source):
        search = {"vit": {"search": {"width": {"choices": [16, 64]}}}}
        (line,) = check_study(flow_of(source, models=search)).problems
        assert line.startswith("models.vit.search.width: 16 or 64 changes the shapes")

    @pytest.mark.parametrize("part", ["fixed", "search"])
    def test_another_normalization_is_a_problem(self, source, part):
        value = "recording" if part == "fixed" else {"choices": ["patients", "recording"]}
        findings = check_study(flow_of(source, models={"vit": {part: {"normalization": value}}}))
        assert findings.problems == [
            f"training.init: {source} has the training.normalization patients, this study has recording "
            f"(models.vit.{part}.normalization); make them equal"
        ]

    def test_shared_ids_are_a_problem_unless_they_are_of_different_persons(self, tmp_path, source):
        (tmp_path / "theirs/data/windows.tsv").unlink()
        data = data_set([background(11), background(12)])
        ids = {name: f"sub-{int(name[4:]):02d}" for name in data.windows["patient"].unique()}
        table = data.windows.assign(patient=data.windows["patient"].map(ids))
        table.to_csv(tmp_path / "theirs/data/windows.tsv", sep="\t", index=False)
        (line,) = check_study(flow_of(source)).problems
        assert "have the ids sub-01, sub-02; exclude" in line
        apart = {"training": {"init": str(source), "init_same_ids": "different_persons", "normalization": "patients"}}
        assert not check_study(read_flow(CONFIG, [], apart)).problems


def test_the_start_of_a_run_refuses_the_first_difference(source):
    wildcards = SimpleNamespace(**Combination("lstm", "mel", "3class")._asdict())
    job = SimpleNamespace(rule=SimpleNamespace(name="tune"), wildcards=wildcards)
    other = SimpleNamespace(rule=SimpleNamespace(name="windows"), wildcards=SimpleNamespace())
    check_initial_weights(flow_of(source), [other])
    with pytest.raises(InputError, match="has the model vit, and lstm_mel_3class has lstm"):
        check_initial_weights(flow_of(source), [other, job])
