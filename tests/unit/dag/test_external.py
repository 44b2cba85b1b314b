"""External data sets in the workflow: targets, inputs and the jobs that a change repeats."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from eegwf.dag.flow_reading import read_flow
from eegwf.errors import InputError

JOB = SimpleNamespace(model="vit", spectrogram="concat", classes="2class", external="other")


@pytest.fixture
def flow_of(root, tmp_path):
    def read(text="dataset: {kind: synthetic, seed: 8}\n", sets=("other",), **settings):
        (tmp_path / "other.yaml").write_text(text)
        external = {name: {"configfile": str(tmp_path / "other.yaml")} for name in sets}
        matrix = {"models": ["vit"], "spectrograms": ["mel"], "classes": ["2class", "3class"]}
        return read_flow(root / "config/config.yaml", [], {"external": external, "matrix": matrix, **settings})

    return read


def test_a_run_includes_every_external_set(flow_of):
    flow = flow_of(sets=("other", "third"))
    reports = [f"results/vit_mel_{classes}/external/{name}/report.html"
               for classes in ("2class", "3class") for name in ("other", "third")]  # fmt: skip
    assert flow.external_reports() == reports
    assert flow.summary.external() == [path.replace("report.html", "metrics.json") for path in reports]
    assert len(flow.external_stages) == 7 and not set(flow.external_stages) & set(flow.stages)
    nothing = flow_of(sets=())
    assert nothing.external_reports() == [] and nothing.external_stages == []


def test_class_sets_can_be_left_out(flow_of, tmp_path):
    given = {"other": {"configfile": str(tmp_path / "other.yaml"), "classes": ["2class"]}}
    assert flow_of(external=given).external_reports() == ["results/vit_mel_2class/external/other/report.html"]


def test_an_unknown_set_is_refused_by_name(flow_of):
    flow = flow_of()
    flow.check_targets(["results/vit_mel_2class/external/other/report.html", "results/external/other/data/windows.npy"])
    for target in ("results/vit_mel_2class/external/siena/report.html", "results/external/siena/data/windows.npy"):
        with pytest.raises(InputError, match=r"no external data set 'siena'; known are other; add it"):
            flow.check_targets([target])
    with pytest.raises(InputError, match=r"no external data set 'siena'; add it to the configuration"):
        flow_of(sets=()).check_targets(["results/vit_mel_2class/external/siena/report.html"])


def test_inputs_are_those_of_the_other_data_set(flow_of):
    external = flow_of().external
    assert external.arrays(JOB) == [
        f"results/external/other/spectrograms/{name}.npy" for name in ("mel", "cwt", "stft")
    ]
    on_the_fly = flow_of(spectrograms={"on_the_fly": True})
    assert on_the_fly.external.arrays(JOB) == ["results/external/other/data/windows.npy"]
    assert '"on_the_fly":{"stacked":["mel",' in on_the_fly.external.settings("external_predict")(JOB)
    assert len(on_the_fly.external_stages) == 6 and "external_spectrogram" not in on_the_fly.external_stages
    raw = SimpleNamespace(**{**vars(JOB), "spectrogram": "raw"})
    assert external.arrays(raw) == ["results/external/other/data/windows.npy"]
    assert external.root(JOB) == "results/external/other/data/bids" and external.dataset_inputs(JOB) == [
        external.root(JOB)
    ]


def test_models_are_those_of_the_primary_member(flow_of):
    def models(**settings) -> set[str]:
        return {path.name for path in flow_of(**settings).external.models()}

    names = {str(path) for path in flow_of(folds=3, retrain={"n_best": 2}).external.models()}
    assert len([name for name in names if name.endswith("calibration.json")]) == 3 * 2
    seeds = flow_of(folds=3, retrain={"n_best": 2, "n_seeds": 2}).external.models()
    assert {path.parent.name for path in seeds if path.name == "model.json"} == {f"rank{rank}" for rank in (1, 2, 3, 4)}
    assert models() == {"best.json", "model.json", "model.safetensors", "calibration.json"}
    one = flow_of(folds=3, evaluation={"primary": "rank2"}).external.models()
    assert {path.parent.name for path in one if path.name == "model.json"} == {"rank2"}


def test_changed_files_of_recordings_repeat_the_reading(flow_of, tmp_path):
    folder = tmp_path / "bids/sub-01/eeg"
    folder.mkdir(parents=True)
    edf = folder / "sub-01_task-sz_eeg.edf"
    edf.write_bytes(b"1")
    flow = flow_of(f"dataset: {{kind: bids, root: {tmp_path}/bids}}\n")
    before = flow.external.data_digest(JOB)
    assert flow.external.dataset_inputs(JOB) == [] and Path(flow.external.root(JOB)) == tmp_path / "bids"
    edf.write_bytes(b"22")
    assert flow.external.data_digest(JOB) != before
