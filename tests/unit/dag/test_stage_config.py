"""Settings of a stage: all that it reads, and nothing else."""

import ast
import json
import typing
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import yaml
from pydantic import BaseModel

from eegwf.config.paths import Combination
from eegwf.config.sample_settings import OF_SAMPLES
from eegwf.config.spectrograms import InputGrids
from eegwf.config.stages.base import StageSettings
from eegwf.config.study import ExternalSet, Study
from eegwf.dag.code_digest import reachable_modules
from eegwf.dag.flow import Flow
from eegwf.dag.flow_reading import read_flow
from eegwf.dag.stage_config import stage_config
from eegwf.dag.stages import STAGES
from eegwf.errors import InputError
from eegwf.prediction.description import Reading

JOB = SimpleNamespace(model="vit", spectrogram="mel", classes="2class", fold="1")
OF_EXTERNAL = [name for name, stage in STAGES.items() if stage.external]
OF_RECORDINGS = [
    name
    for name, stage in STAGES.items()
    if "synthetic" in stage.dataset_kinds and name != "summary" and not stage.external
]
TRAINED = {"tune", "retrain", "finalize"}
MODEL = {*TRAINED, "explain"}

# Stages whose result depends on a key of the configuration, besides the report; a section stands for all its keys.
READ_BY = {
    "results": set(),
    "seed": {"folds", *MODEL, "evaluate", "split_by_window"},
    "threads": MODEL,
    "device": MODEL,
    "deterministic": MODEL,
    "dataset": {"synthesize", "windows"},
    "patients": {"windows", "evaluate"},  # the ids of participants.tsv
    "max_similarity": {"folds", "initialize"},
    "permute_labels": {*TRAINED, "split_by_window"},
    "channels": {"windows", "initialize", "finalize"},
    "signals": {"windows", "finalize"},
    **{f"signals.{name}": {"windows", "initialize", "finalize"} for name in OF_SAMPLES["signals"]},
    "windows": {"windows", "finalize"},
    **{f"windows.{name}": {"windows", "initialize", "finalize"} for name in OF_SAMPLES["windows"]},
    "folds": {"folds", "finalize", "baseline"},
    "classes.2class": {*MODEL, "evaluate", "baseline", "split_by_window"},
    "classes.3class": set(),
    "spectrograms.device": {"spectrogram", "finalize"},
    "spectrograms.on_the_fly": {*MODEL, "split_by_window"},
    "spectrograms.mel": {"spectrogram", "finalize"},
    "spectrograms.stft": {"finalize"},
    "spectrograms.cwt": {"finalize"},
    "spectrograms.acf": {"finalize"},
    "spectrograms.concat": {"finalize"},
    "models.vit.fixed": {"tune", "select_best"},
    "models.vit.search": {"tune"},
    "models.vit.start": {"tune"},
    "models.lstm": set(),
    "training": TRAINED,
    "training.init": {"initialize"},
    "training.init_same_ids": {"initialize"},
    "tuning.n_trials": {"tune", "select_best"},
    "tuning.n_epochs": {"tune", "select_best"},
    "tuning.timeout_minutes": {"tune", "select_best"},
    "tuning.inner_folds": {"tune", "select_best"},
    "tuning.sampler": {"tune"},
    "tuning.n_startup_trials": {"tune"},
    "tuning.pruner": {"tune"},
    "tuning.pruner_n_startup_trials": {"tune"},
    "tuning.pruner_n_warmup_epochs": {"tune"},
    "tuning.wilcoxon_p_threshold": {"tune"},
    "tuning.max_killed_workers": {"tune"},
    "tuning.trials_per_gpu": {"tune"},
    "tuning.mode": {"folds", "finalize"},
    "tuning.reserved": set(),
    "tuning.allow_optimistic": set(),
    "tuning.n_workers": set(),
    "retrain.n_best": {"tune", "select_best", "finalize", "baseline"},
    "retrain.n_seeds": {"select_best", "finalize", "baseline"},
    "retrain.epochs": {"retrain", "finalize"},
    "retrain.ranks_per_gpu": {"retrain"},
    "evaluation": {"evaluate"},
    "evaluation.primary": {"evaluate", "finalize", "baseline"},
    "evaluation.operating_point": {"evaluate", "finalize"},
    "evaluation.confidence": {"evaluate", "split_by_window"},
    "evaluation.subgroups": {"evaluate"},
    "evaluation.seeds": {"retrain", "evaluate"},
    "explanation": {"explain"},
    "report": set(),
    "matrix": set(),
    "external": set(),
    "cluster": set(),
}
# Values of keys whose type does not name another one.
OTHER = {
    "classes.2class": {"background": ["bckg"], "seizure": ["sz_foc"]},
    "classes.3class": {"background": ["bckg"], "seizure": ["sz_foc"]},
    "models.vit.fixed": {"heads": 4},
    "models.vit.search": {},
    "models.vit.start": ["defaults"],
    "models.lstm.fixed": {"layers": 2},
    "models.lstm.search": {},
    "models.lstm.start": ["defaults"],
    "patients": {"sub-21": "sub-01"},
    "external": {"other": ExternalSet(configfile="other.yaml")},
    "channels.aliases": {"C3": ["X1"]},
    "signals.notch": [50.0],
    "training.init": "results/vit_mel_2class",
    "evaluation.primary": "rank1",
    "evaluation.operating_point.target": "f1",
    "evaluation.subgroups": {},
    "tuning.wilcoxon_p_threshold": 0.2,
    "tuning.mode": "reserved",
}


@pytest.fixture
def flow_of(root):
    def read(**settings) -> Flow:
        return read_flow(root / "config/config.yaml", [], settings)

    return read


def leaves(section: BaseModel, place: str = "") -> Iterator[tuple[str, object]]:
    """Every key below a section, with its other value."""
    for name, field in type(section).model_fields.items():
        key, value = f"{place}{name}", getattr(section, name)
        if key in OTHER:
            yield key, OTHER[key]
        elif isinstance(value, BaseModel):
            yield from leaves(value, f"{key}.")
        elif key == "models":
            for model in ("vit", "lstm"):
                yield from (
                    (f"{key}.{model}.{part}", OTHER[f"{key}.{model}.{part}"]) for part in ("fixed", "search", "start")
                )
        elif key == "classes":
            yield from ((f"{key}.{name}", OTHER[f"{key}.{name}"]) for name in value)
        elif key != "dataset.kind":
            yield key, other_value(field.annotation, value)


def other_value(annotation, value):
    """A value of the same type that differs."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    choices = [choice for part in (annotation, *typing.get_args(annotation)) for choice in typing.get_args(part)]
    text = [choice for choice in choices if isinstance(choice, str) and choice != value]
    if text:
        return text[0]
    return (
        [] if isinstance(value, list) and value else ["x"] if isinstance(value, list) else 7 if value is None else "x"
    )


def with_value(section, keys: list[str], value):
    """A copy of a section with another value, without validation."""
    name, *rest = keys
    if isinstance(section, dict):
        return {**section, name: with_value(section[name], rest, value) if rest else value}
    return section.model_copy(update={name: with_value(getattr(section, name), rest, value) if rest else value})


def stages_reading(study: Study, other: Study, stages=OF_RECORDINGS) -> set[str]:
    """Stages whose settings differ between two configurations."""
    return {
        stage
        for stage in stages
        if json.dumps(stage_config(study, stage, JOB).model_dump(mode="json", warnings=False))
        != json.dumps(stage_config(other, stage, JOB).model_dump(mode="json", warnings=False))
    }


def test_a_key_reaches_the_stages_that_read_it_and_no_other(flow_of):
    study = flow_of(tuning={"inner_folds": 4}).study
    checked = set()
    for key, value in leaves(study):
        section = max((name for name in READ_BY if key == name or key.startswith(f"{name}.")), key=len)
        checked.add(section)
        expected = READ_BY[section] | (set() if section == "cluster" else {"report"})
        assert stages_reading(study, with_value(study, key.split("."), value)) == expected, key
    assert checked == set(READ_BY)


def test_a_spectrogram_on_the_fly_reaches_the_stages_that_compute_it(flow_of):
    study = flow_of(spectrograms={"on_the_fly": True}).study
    other = with_value(study, ["spectrograms", "mel", "n_freqs"], 9)
    assert stages_reading(study, other) == {"spectrogram", *MODEL, "split_by_window", "report"}
    other = with_value(study, ["spectrograms", "cwt", "n_freqs"], 9)
    assert stages_reading(study, other) == {"finalize", "report"}


def test_expected_seizures_reach_the_report_only(flow_of, tmp_path):
    dataset = {"kind": "bids", "root": str(tmp_path), "event_types": ["bckg", "sz"]}
    study = flow_of(dataset=dataset).study
    other = flow_of(dataset=dataset | {"expected_seizures": {"sub-01": 3}}).study
    stages = [stage for stage in OF_RECORDINGS if stage != "synthesize"]
    assert stages_reading(study, other, stages) == {"report"}
    assert stages_reading(study, with_value(study, ["dataset", "exclude"], ["sub-01"]), stages) == {"windows", "report"}


def attributes(stage: str, root) -> set[str]:
    """Names of all attributes that the code of a stage reads, except in the definition of the configuration."""
    modules = reachable_modules(root / "workflow/scripts" / f"{STAGES[stage].script}.py", "eegwf.models.vit")
    names = set()
    for module, path in modules.items():
        if not module.startswith("eegwf.config") or module.startswith("eegwf.config.stages"):
            names |= {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    return names


def fields(section: type[BaseModel]) -> Iterator[str]:
    """Names of all fields of a section and of the sections in it, except those of data sets."""
    for name, field in section.model_fields.items():
        yield name
        for part in (field.annotation, *typing.get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel) and name != "dataset":
                yield from fields(part)


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "report"])
def test_every_field_of_its_settings_is_read_by_the_stage(root, stage):
    settings = STAGES[stage].settings
    readers = [root / f"eegwf/jobs/{STAGES[stage].script}.py", root / "eegwf/config/stages/spectrogram.py"]
    readers += [root / "eegwf/data/study_folds.py"] if stage == "folds" else []
    readers += [root / "eegwf/prediction/describe.py"] if stage == "finalize" else []
    job = "".join(path.read_text() for path in readers)
    unread = [name for name in settings.model_fields if f"settings.{name}" not in job and f"self.{name}" not in job]
    assert not unread
    # The budget of a study is compared by `select_best`; a search space is validated where it is read.
    # Parameters of a spectrogram are passed to it as keyword arguments.
    elsewhere = {"step", "low", "high", "log", "choices", "kind", "timm", "window", "span", *InputGrids.model_fields}
    elsewhere |= {"subgroups"} if stage == "external_evaluate" else set()  # those of the study are of its own patients
    # `finalize` records how recordings are read, for prediction.
    elsewhere |= set(fields(Reading)) if stage == "finalize" else set()
    assert set(fields(settings)) - attributes(stage, root) - elsewhere == set()


def test_the_report_shows_the_whole_configuration(flow_of):
    study = flow_of().study
    shown = stage_config(study, "report", JOB).model_dump(mode="json")["study"]
    assert shown == {key: value for key, value in study.model_dump(mode="json").items() if key != "cluster"}


def test_the_summary_depends_on_the_combinations(flow_of):
    combinations = [Combination("vit", "mel", "2class"), Combination("bandpower", "mel", "3class")]
    settings = stage_config(flow_of().study, "summary", SimpleNamespace(), combinations)
    assert settings.model_dump(mode="json") == {
        "combinations": [["vit", "mel", "2class"], ["bandpower", "mel", "3class"]],
        "external": {"2class": [], "3class": []},
        "baselines": ["3class"],
    }


def test_the_baseline_is_chosen_by_the_primary_member(flow_of):
    for primary, ranks in (("ensemble", [1, 2, 3, 4]), ("rank2", [2])):
        flow = flow_of(retrain={"n_best": 2, "n_seeds": 2}, evaluation={"primary": primary})
        assert json.loads(flow.settings("baseline")(JOB))["ranks"] == ranks


def test_order_of_classes_survives_json_and_counts(flow_of):
    orders = [["seizure", "background"], ["background", "seizure"]]
    entries = {"background": ["bckg"], "seizure": ["sz"]}
    texts = []
    for order in orders:
        flow = flow_of(classes={"2class": {name: entries[name] for name in order}})
        texts.append([flow.settings(stage)(JOB) for stage in ("tune", "retrain", "explain", "evaluate")])
        assert [list(json.loads(text)["classes"]) for text in texts[-1]] == [order] * 4
    assert all(first != second for first, second in zip(*texts, strict=True))


def test_external_stages_read_the_other_data_set_as_the_study_reads_its_own(flow_of, tmp_path):
    other = {
        "dataset": {
            "kind": "bids",
            "root": str(tmp_path),
            "event_types": ["bckg", "sz"],
            "expected_seizures": {"a": 1},
        },
        "channels": {"aliases": {"C3": ["X1"]}},
        "patients": {"sub-2": "sub-1"},
        "signals": {"montage": "average", "sfreq": 100},
        "windows": {"length": 99},
        "classes": {"2class": {"background": ["bckg"], "seizure": ["other"]}},
    }
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(other))
    flow = flow_of(external={"other": {"configfile": str(tmp_path / "other.yaml"), "root": "elsewhere"}})
    study, job = flow.study, SimpleNamespace(**vars(JOB), external="other")
    found = {
        stage: json.loads(flow.external.settings(stage)(job)) for stage in OF_EXTERNAL if stage != "external_synthesize"
    }
    read = found["external_windows"]
    assert read["dataset"]["root"] == "elsewhere" and read["dataset"]["expected_seizures"] == {}
    assert read["channels"]["aliases"] == {"C3": ["X1"]} and read["patients"] == {"sub-2": "sub-1"}
    own = {name: getattr(study, name).model_dump(mode="json") for name in ("signals", "windows")}
    assert {name: read[name] for name in own} == own
    assert found["external_spectrogram"] == json.loads(flow.settings("spectrogram")(job))
    for stage in ("external_predict", "external_evaluate", "external_report"):
        assert found[stage]["classes"] == {"background": ["bckg"], "seizure": ["sz"]}


def test_settings_of_external_stages_survive_the_command_line(flow_of, tmp_path):
    (tmp_path / "other.yaml").write_text("dataset: {kind: synthetic, seed: 8}\n")
    flow = flow_of(external={"other": {"configfile": str(tmp_path / "other.yaml")}})
    for stage in OF_EXTERNAL:
        text = flow.external.settings(stage)(SimpleNamespace(**vars(JOB), external="other"))
        assert STAGES[stage].settings.parse(text).model_dump_json() == text
    assert len(OF_EXTERNAL) == 7


@pytest.mark.parametrize("stage", OF_RECORDINGS)
def test_settings_survive_the_command_line(flow_of, stage):
    settings: StageSettings = stage_config(flow_of().study, stage, JOB)
    assert type(settings).parse(settings.model_dump_json()) == settings


@pytest.mark.parametrize("text", ["{", "{}", '{"combinations": [], "more": 1}', '{"combinations": [["vit", "mel"]]}'])
def test_other_settings_are_refused(text):
    with pytest.raises(InputError, match="--settings: not the settings of this stage: "):
        STAGES["summary"].settings.parse(text)
