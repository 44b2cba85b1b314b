"""What the Snakefile asks about studies: which there are, who works on them, what they must not see."""

import json
from types import SimpleNamespace

import pytest

from eegwf.dag.flow import Flow
from eegwf.dag.flow_reading import read_flow
from eegwf.errors import InputError

RUN = "results/vit_mel_2class"
MODES = {
    "per_fold": ({"mode": "per_fold"}, ["fold1", "fold2", "fold3", "fold4"]),
    "reserved": ({"mode": "reserved"}, ["reserved"]),
    "once": ({"mode": "once", "allow_optimistic": True}, ["fold1"]),
}


@pytest.fixture
def flow_of(root):
    """The flow of four folds with settings of tuning."""

    def read(**tuning) -> Flow:
        return read_flow(root / "config/config.yaml", [], {"folds": 4, "tuning": tuning})

    return read


def job(**more) -> SimpleNamespace:
    return SimpleNamespace(model="vit", spectrogram="mel", classes="2class", **more)


@pytest.mark.parametrize("mode", MODES)
def test_studies_and_who_takes_from_them(flow_of, mode):
    settings, studies = MODES[mode]
    flow = flow_of(**settings)
    assert flow.studies == studies and flow.workers == [1]
    for fold in (1, 2, 3, 4):
        study = studies[fold - 1] if mode == "per_fold" else studies[0]
        assert flow.workers_of(job(fold=str(fold))) == [f"{RUN}/studies/{study}/worker1.json"]


@pytest.mark.parametrize("mode", MODES)
def test_every_worker_of_every_study_is_asked_for(flow_of, mode):
    settings, studies = MODES[mode]
    flow = flow_of(**settings, n_workers=3)
    assert flow.workers == [1, 2, 3]
    asked = {file for fold in flow.folds for file in flow.workers_of(job(fold=str(fold)))}
    assert asked == {f"{RUN}/studies/{study}/worker{number}.json" for study in studies for number in (1, 2, 3)}


def test_what_a_study_must_not_see():
    found = {study: Flow.excluded_fold(job(study=study)) for study in ("fold1", "fold12", "reserved")}
    assert found == {"fold1": 1, "fold12": 12, "reserved": 0}


def test_names_of_studies_and_of_folds(flow_of):
    flow = flow_of()
    assert flow.name(job(study="fold3", worker="2")) == "vit_mel_2class_fold3"
    assert flow.name(job(study="reserved", worker="1")) == "vit_mel_2class_reserved"
    assert flow.name(job(fold="3")) == "vit_mel_2class_fold3"


def params(flow: Flow) -> dict[str, tuple]:
    """What decides each job, as Snakemake compares it from run to run."""
    wildcards = dict.fromkeys(("select_best", "retrain", "explain", "evaluate"), job(fold="1"))
    wildcards |= {"folds": SimpleNamespace(), "tune": job(study="fold1", worker="1")}
    return {stage: (flow.settings(stage)(found), flow.code(stage)(found)) for stage, found in wildcards.items()}


def test_the_number_of_workers_is_no_part_of_any_job(flow_of):
    assert params(flow_of(n_workers=1)) == params(flow_of(n_workers=4))


def test_tuning_once_goes_on_with_the_study_of_the_first_fold(flow_of):
    """Nothing of the mode stands in a job, so that a study that is there is taken as it is."""
    one, other = params(flow_of()), params(flow_of(mode="once", allow_optimistic=True))
    assert one == other


def test_reserving_patients_makes_other_folds(flow_of):
    one, other = params(flow_of()), params(flow_of(mode="reserved", reserved=0.3))
    assert {stage for stage in one if one[stage] != other[stage]} == {"folds"}
    config = json.loads(other["folds"][0])
    assert (config["reserved"], config["n_inner_folds"], config["n_folds"]) == (0.3, 3, 4)
    assert json.loads(one["folds"][0])["reserved"] is None
    config = json.loads(params(flow_of(mode="reserved", inner_folds=6))["folds"][0])
    assert config["n_inner_folds"] == 6


def test_inner_folds_are_bounded_by_the_folds_where_the_folds_validate(flow_of):
    for settings in (MODES["per_fold"][0], MODES["once"][0]):
        assert flow_of(**settings, inner_folds=3).n_folds == 4
        with pytest.raises(InputError, match=r"tuning\.inner_folds: 4 of 4 folds; .*so choose 3 or fewer"):
            flow_of(**settings, inner_folds=4)
    assert flow_of(mode="reserved", inner_folds=5).n_folds == 4


def test_report_reads_the_cost_of_tuning_and_retraining(flow_of):
    folder = "results/{model}_{spectrogram}_{classes}/fold3"
    names = ("tune/trials.tsv", "tune/best.json", "tune/timing.tsv", "retrain/timing.tsv")
    assert {f"{folder}/{name}" for name in names} <= set(map(str, flow_of().fold_files()))
