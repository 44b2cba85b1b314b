"""Configuration files: what is refused and how, what is merged, what survives a round trip."""

import json
import unicodedata

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eegwf.config.layers import merge
from eegwf.config.load import load_study, validate_record
from eegwf.config.renamed import RENAMED
from eegwf.config.study import Study, StudyDesign
from eegwf.config.tuning import Choices, Model
from eegwf.dag.flow_reading import read_flow
from eegwf.errors import InputError


@pytest.fixture
def default(root):
    return root / "config" / "config.yaml"


@pytest.fixture
def refusal(default, tmp_path):
    """What is said of a configuration file with this text."""

    def said_of(text: str) -> str:
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        with pytest.raises(InputError) as caught:
            read_flow(default, [path])
        return str(caught.value).replace(str(path), "mine.yaml")

    return said_of


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("trainig: {epochs: 3}", "trainig", "did you mean 'training'?"),
        ("training: {epoch: 3}", "training.epoch", "did you mean 'epochs'?"),
        ("training: {zzz: 3}", "training.zzz", "known keys: background_mix, batch_size, channel_dropout,"),
        ("training: {epochs: many}", "training.epochs", "should be a valid integer"),
        ("training: {epochs: 0}", "training.epochs", "greater than or equal to 1 (found 0)"),
        ("windows: {length: .nan}", "windows.length", "finite number"),
        ("windows: 5", "windows", "should be a valid dictionary"),
        ("models: {vitt: {}}", "models.vitt", "known are "),
        ("matrix: {models: [nosuch]}", "matrix.models", "no model 'nosuch'; choose one of lstm, transformer, vit"),
        ("matrix: {spectrograms: [mle]}", "matrix.spectrograms", "choose one of mel, stft, cwt, acf, concat"),
        ("matrix: {classes: [4class]}", "matrix.classes", "choose one of 2class, 3class"),
        ("tuning: {n_trials: 4}", "tuning.n_trials", "are fewer than the 5 parameter sets"),
        ("retrain: {n_best: 20}", "tuning.n_trials", "are fewer than the 20 parameter sets"),
        ("tuning: {inner_folds: 5}", "tuning.inner_folds", "choose 4 or fewer"),
        ("folds: 2", "folds", "need 3"),
        ("spectrograms: {mel: {f_min: 80}}", "spectrograms.mel", "f_min 80.0 Hz is not below f_max 64.0 Hz"),
        ("spectrograms: {cwt: {f_max: 1}}", "spectrograms.cwt", "f_min 1.0 Hz is not below f_max 1.0 Hz"),
        ("windows: {context: -1}", "windows.context", "greater than or equal to 0"),
        (
            "{windows: {length: 15, context: 2}, spectrograms: {stft: {span: 20}}}",
            "spectrograms.stft.span",
            "20 s is longer than windows.length + 2 * windows.context, 19 s",
        ),
        (
            "{windows: {context: 2}, evaluation: {subgroups: {}}, dataset: {kind: fold_arrays, label_names: {0: bckg}, "
            "arrays: {mel: {data: 'd{fold}', labels: 'l{fold}', patients: 'p{fold}'}}}}",
            "windows.context",
            "2 s, but the windows of 'fold_arrays' are already cut",
        ),
        ("spectrograms: {concat: [mel, acf, mel]}", "spectrograms.concat", "mel is in the list more than once"),
        ("spectrograms: {concat: [mel]}", "spectrograms.concat", "at least 2 items"),
        ("spectrograms: {concat: [mel, raw]}", "spectrograms.concat", "'mel', 'stft', 'cwt' or 'acf'"),
        ("channels: {alias: {}}", "channels.alias", "did you mean 'aliases'?"),
        ("channels: {aliases: {C3: X1}}", "channels.aliases.C3", "should be a valid list"),
        ("channels: {aliases: {C3: []}}", "channels.aliases.C3", "at least 1 item"),
        ("channels: {aliases: {C3: [7]}}", "channels.aliases.C3", "should be a valid string"),
        ("channels: {aliases: {C3: [' ']}}", "channels.aliases.C3", "at least 1 character"),
        ("channels: {aliases: {C3: [X1, x1]}}", "channels", "C3: 'x1' is given twice (upper and lower case are the"),
        ("channels: {aliases: {C3: [X1], c3: [X2]}}", "channels", "aliases: 'c3' is given twice"),
        ("channels: {net: hydrocel}", "channels.net", "'biosemi32', 'biosemi64' or 'biosemi128'"),
        ("channels: {references: X}", "channels.references", "should be a valid list"),
        ("signals: {h_freq: 200}", "signals", "is not below half of sfreq 256.0 Hz"),
        ("models: {vit: {search: {patches: {low: 1, high: 2}}}}", "models.vit.search.patches", "vit has patch_freqs"),
        ("models: {vit: {fixed: {patches: 1}}}", "models.vit.fixed.patches", "vit has patch_freqs"),
        ("models: {vit: {search: {lr: {low: 1, high: 0.1}}}}", "models.vit.search.lr", "low 1 is above high 0.1"),
        ("models: {vit: {search: {lr: {low: 1}}}}", "models.vit.search.lr.high", "missing"),
        ("models: {vit: {search: {lr: {choices: []}}}}", "models.vit.search.lr.choices", "at least 1 item"),
        ("evaluation: {primary: rank9}", "evaluation.primary", "retrain.n_best is 5"),
        (
            "retrain: {n_best: 2, n_seeds: 2}\nevaluation: {primary: rank5}",
            "evaluation.primary",
            "retrain.n_seeds 2",
        ),
        ("retrain: {n_seeds: 0}", "retrain.n_seeds", "greater than or equal to 1 (found 0)"),
        ("training: {swa_epochs: 5, ema_decay: 0.9}", "training", "swa_epochs 5 and ema_decay 0.9 both average"),
        (
            "training: {ema_decay: 0.9}\nmodels: {vit: {search: {swa_epochs: {choices: [0, 5]}}}}",
            "models.vit.search.swa_epochs",
            "could have both ema_decay and swa_epochs",
        ),
        (
            "training: {swa_epochs: 5}\nmodels: {lstm: {fixed: {ema_decay: 0.9}}}",
            "models.lstm.fixed.ema_decay",
            "write 0 for the other in models and in training",
        ),
        ("evaluation: {primary: best}", "evaluation.primary", "(found 'best')"),
        ("classes: {one: {seizure: [sz]}}", "classes.one", "at least two classes"),
        ("classes: {one: {a: [sz], b: [sz]}}", "classes.one", "'sz' is in two classes"),
        ("classes: {One_set: {a: [sz], b: [bckg]}}", "classes", "should match pattern"),
        ("dataset: {kind: bids}", "dataset.root", "missing"),
        ("dataset: {kind: bids, rot: x, root: y}", "dataset.rot", "did you mean 'root'?"),
        ("dataset: {kind: files, root: x, patient: a}", "dataset.recordings", "missing"),
        (
            "dataset: {kind: files, root: x, recordings: a.edf, patient: '(a'}",
            "dataset.patient",
            "no regular expression",
        ),
        ("dataset: {kind: files, root: x, recordings: /a.edf, patient: a}", "dataset.recordings", "an absolute path"),
        ("dataset: {kind: files, root: x, recordings: [a, ../b], patient: a}", "dataset.recordings", "by '..'; set"),
        ("dataset: {kind: bdis}", "dataset", "'synthetic', 'bids', 'files', 'fold_arrays'"),
        ("dataset: {root: y}", "dataset", "kind"),
        (
            "dataset: {kind: fold_arrays, label_names: {0: a}, arrays: {mel: {data: d, labels: l, patients: p}}}",
            "dataset.arrays.mel.data",
            "must contain {fold}",
        ),
    ],
)
def test_refused_with_file_key_and_advice(refusal, text, place, advice):
    said = refusal(text).splitlines()[0]
    assert said.startswith(f"mine.yaml: {place}"), said
    assert advice in said


def test_every_fault_has_its_line_and_its_file(default, tmp_path):
    for name, text in [
        ("a.yaml", "windows: {lenght: 3}"),
        ("b.yaml", "windows: {step: x}\nspectrograms: {mel: {f_max: 1}}"),
    ]:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        load_study(
            default, [tmp_path / "a.yaml", tmp_path / "b.yaml"], {"seed": "x", "spectrograms": {"mel": {"f_min": 2}}}
        )
    lines = [line.strip().replace(str(tmp_path), "") for line in str(caught.value).splitlines()]
    assert sorted(line.split(": ")[:2] for line in lines) == [
        ["--config", "seed"],
        ["--config", "spectrograms.mel"],  # the last who set f_min or f_max
        ["/a.yaml", "windows.lenght"],
        ["/b.yaml", "windows.step"],
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", "not YAML"),
        ("a: 1\n\tb: 2", "not YAML"),
        ("- a\n- b", "expected keys with values, found list"),
        ("results", "expected keys with values, found str"),
    ],
)
def test_what_is_no_mapping_in_yaml_is_refused(refusal, text, said):
    assert refusal(text).startswith("mine.yaml: ") and said in refusal(text)


def test_python_tags_are_refused_and_run_nothing(refusal, tmp_path):
    mark = tmp_path / "ran"
    said = refusal(f"results: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{mark}']]")
    assert said.startswith("mine.yaml: not YAML") and "python" in said and "\n" not in said
    assert not mark.exists()


def test_files_that_are_not_there(default, tmp_path):
    with pytest.raises(InputError, match=r"nothing\.yaml: can't be read"):
        load_study(default, [tmp_path / "nothing.yaml"])
    (tmp_path / "latin.yaml").write_bytes("results: é".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.yaml: can't be read"):
        load_study(default, [tmp_path / "latin.yaml"])


def test_empty_file_changes_nothing(default, tmp_path):
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert load_study(default, [tmp_path / "empty.yaml"]) == load_study(default)


def test_data_root_needs_a_data_set_with_a_root(default, tmp_path):
    with pytest.raises(InputError, match="--config data_root=x: only a dataset of kind 'bids' or 'files' has a root"):
        load_study(default, [], {"data_root": "x"})
    (tmp_path / "b.yaml").write_text("dataset: {kind: bids}")
    assert load_study(default, [tmp_path / "b.yaml"], {"data_root": "x"}).dataset.root == "x"


def test_data_set_class_sets_and_search_entries_are_replaced_whole(default, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        """
        dataset: {kind: bids, root: data}
        classes: {2class: {rest: [bckg], sz: [sz]}}
        models: {vit: {search: {lr: {choices: [0.1, 0.2]}, width: {low: 16, high: 64, step: 16}}}}
        training: {epochs: 3}
        """
    )
    before, after = (load_study(default, files).model_dump() for files in ([], [tmp_path / "mine.yaml"]))
    events = {
        "event_types",
        "unannotated",
        "ignored_events",
        "event_tolerance",
        "on_open_event",
        "annotations",
        "event_map",
        "exclude",
        "expected_seizures",
    }
    assert set(after["dataset"]) == {"kind", "root", *events}
    assert after["classes"] == {**before["classes"], "2class": {"rest": ["bckg"], "sz": ["sz"]}}
    search = {"lr": {"choices": [0.1, 0.2]}, "width": {"low": 16, "high": 64, "log": False, "step": 16}}
    assert after["models"]["vit"]["search"] == {**before["models"]["vit"]["search"], **search}
    assert after["training"] == {**before["training"], "epochs": 3}
    others = set(before) - {"dataset", "classes", "models", "training"}
    assert {key: after[key] for key in others} == {key: before[key] for key in others}


def patients_of(default, tmp_path, *texts):
    files = [tmp_path / f"{number}.yaml" for number in range(len(texts))]
    for path, text in zip(files, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return load_study(default, files).patients


COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "sub-Jürgen") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("texts", "patients"),
    [
        (["patients: {sub-21: sub-01}", "patients: {}"], {"sub-21": "sub-01"}),
        (["patients: {sub-21: sub-01}", "patients: {sub-21: null}"], {}),
        (["patients: {sub-21: sub-01, sub-3: sub-04}", "patients: {sub-21: ~}"], {"sub-3": "sub-04"}),
        (["patients: {sub-21: null}"], {}),
        (["patients: {sub-21: null}", "patients: {sub-21: sub-02}"], {"sub-21": "sub-02"}),
        ([f"patients: {{{DECOMPOSED}: sub-01}}"], {COMPOSED: "sub-01"}),
        ([f"patients: {{sub-01: {DECOMPOSED}}}"], {"sub-01": COMPOSED}),
        ([f"patients: {{{COMPOSED}: sub-01}}", f"patients: {{{DECOMPOSED}: null}}"], {}),
        ([f"patients: {{{COMPOSED}: sub-01}}", f"patients: {{{DECOMPOSED}: sub-02}}"], {COMPOSED: "sub-02"}),
    ],
)
def test_entries_of_patients_are_merged_and_removed(default, tmp_path, texts, patients):
    assert patients_of(default, tmp_path, *texts) == patients


def test_the_command_line_removes_an_entry_of_patients(root, default):
    overrides = {"patients": {"sub-21": None}}
    assert load_study(default, [root / "config/datasets/chbmit.yaml"], overrides).patients == {}


@pytest.mark.parametrize(
    ("patients", "said"),
    [
        # The mapping is applied once, so that these would result in two names for one person.
        ("{sub-03: sub-02, sub-02: sub-01}", "sub-03: sub-02, but sub-02 is mapped to sub-01; map sub-03 to the same"),
        ("{sub-01: sub-02, sub-02: sub-01}", "sub-01: sub-02, but sub-02 is mapped to sub-01"),
        (f"{{a: {COMPOSED}, {DECOMPOSED}: b}}", f"a: {COMPOSED}, but {COMPOSED} is mapped to b"),
        # Also if the data set has none of the ids.
        ("{x: y, y: z}", "x: y, but y is mapped to z"),
    ],
)
def test_chains_of_patients_are_refused(refusal, patients, said):
    assert refusal(f"patients: {patients}").startswith(f"mine.yaml: patients: {said}")


@pytest.mark.parametrize(
    ("texts", "aliases"),
    [
        (["{C3: [X1]}", "{}"], {"C3": ["X1"]}),
        (["{C3: [X1], C4: [X2]}", "{C3: null}"], {"C4": ["X2"]}),
        (["{C3: [X1, X2]}", "{C3: [X3]}"], {"C3": ["X3"]}),
        (["{C4: [X2]}", "{C3: [X1]}"], {"C4": ["X2"], "C3": ["X1"]}),
    ],
)
def test_aliases_are_merged_and_removed(default, tmp_path, texts, aliases):
    files = [tmp_path / f"{number}.yaml" for number in range(len(texts))]
    for path, text in zip(files, texts, strict=True):
        path.write_text(f"channels: {{aliases: {text}}}")
    found = load_study(default, files).channels.aliases
    assert list(found.items()) == list(aliases.items())


def test_a_null_outside_patients_is_kept(default, tmp_path):
    (tmp_path / "mine.yaml").write_text("signals: {l_freq: null}")
    assert load_study(default, [tmp_path / "mine.yaml"]).signals.l_freq is None


values = st.recursive(
    st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(st.sampled_from(["a", "b", "c"]), values, max_size=3)


@pytest.mark.slow
@given(mappings, mappings)
def test_merging_keeps_what_the_later_does_not_set(one, two):
    assert merge(one, one) == one and merge({}, one) == one and merge(one, {}) == one
    merged = merge(one, two)
    assert set(merged) == set(one) | set(two)
    assert all(merged[key] == one[key] for key in set(one) - set(two))
    for key, value in two.items():
        both = isinstance(value, dict) and isinstance(one.get(key), dict)
        assert merged[key] == (merge(one[key], value) if both else value)


def test_numbers_that_yaml_takes_for_text():
    """YAML 1.1 reads 1e-4 as text, and Snakemake's --config every number in a list."""
    assert yaml.safe_load("1e-4") == "1e-4"
    found = Choices.model_validate({"choices": ["1e-4", "4", "0.5", "adamw", "nan", True, 1]}).choices
    assert [repr(value) for value in found] == ["0.0001", "4", "0.5", "'adamw'", "'nan'", "True", "1"]
    model = Model.model_validate(
        {"fixed": {"lr": "3e-4"}, "search": {"warmup_fraction": {"low": "1e-5", "high": "1e-3"}}}
    )
    assert model.fixed["lr"] == 3e-4 and model.search["warmup_fraction"].low == 1e-5


names = st.text("abcxyz019-", min_size=1, max_size=6)
class_sets = st.lists(names, min_size=2, max_size=4, unique=True).map(
    lambda found: {name: [f"type_{number}"] for number, name in enumerate(found)}
)
plain = st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | names
searches = st.one_of(
    st.lists(plain, min_size=1, max_size=4).map(lambda found: {"choices": found}),
    st.tuples(st.integers(-9, 9), st.integers(10, 99)).map(lambda ends: {"low": ends[0], "high": ends[1]}),
    st.tuples(st.floats(1e-9, 1), st.floats(1, 9)).map(lambda ends: {"low": ends[0], "high": ends[1], "log": True}),
)
data_sets = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("synthetic")}, optional={"minutes": st.floats(1, 600), "seed": st.integers(0)}
    ),
    st.fixed_dictionaries(
        {"kind": st.just("bids"), "root": st.text()}, optional={"unannotated": st.none() | st.just("bckg")}
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("files"),
            "root": st.text(),
            "recordings": st.sampled_from(["*.edf", ["a/**/*.edf", "[{]$x.bdf"]]),
            "patient": st.sampled_from([r"chb\d{2}", "^([^/'\"]+)/"]),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("fold_arrays"),
            "arrays": st.just({"cwt": {"data": "{fold}", "labels": "{fold}", "patients": "{fold}"}}),
            "label_names": st.dictionaries(st.integers(-2, 9), names, max_size=3),
        }
    ),
)
studies = st.fixed_dictionaries(
    {
        "dataset": data_sets,
        "classes": st.dictionaries(names, class_sets, min_size=1, max_size=3),
        "models": st.dictionaries(
            names,
            st.fixed_dictionaries(
                {}, optional={"fixed": st.dictionaries(names, plain), "search": st.dictionaries(names, searches)}
            ),
            min_size=1,
            max_size=2,
        ),
    },
    optional={
        "folds": st.integers(3, 20) | st.just("leave-one-patient-out"),
        "windows": st.fixed_dictionaries({}, optional={"length": st.floats(0.1, 60), "borderline": st.just("drop")}),
        "signals": st.fixed_dictionaries({}, optional={"sfreq": st.just("as recorded"), "notch": st.just([50])}),
        "retrain": st.just({"n_best": 2, "epochs": None}),
    },
)


@settings(max_examples=60, deadline=None)
@given(studies)
def test_a_study_survives_its_own_dump(config):
    study = Study.model_validate(config)
    text = json.dumps(study.model_dump(mode="json"))
    again = Study.model_validate(json.loads(text))
    assert again == study
    assert json.dumps(again.model_dump(mode="json")) == text  # types and order too
    assert [list(classes) for classes in study.classes.values()] == [list(c) for c in config["classes"].values()]


def renamed_keys():
    """Every former key, with a configuration that sets it and the present key."""
    for sections, names in RENAMED.items():
        sections = tuple("vit" if part == "*" else part for part in sections)
        for former, present in names.items():
            yield ".".join([*sections, former]), ".".join([*sections, present])


@pytest.mark.parametrize(("former", "present"), list(renamed_keys()))
def test_former_key_is_refused_with_the_present_one(refusal, former, present):
    *sections, key = former.split(".")
    value = "{low: 0.1, high: 0.2}" if sections[-1] == "search" else "1"
    text = f"{key}: {value}"
    for section in reversed(sections):
        text = f"{section}: {{{text}}}"
    message = refusal(text)
    assert message.startswith(f"mine.yaml: {former}: ") and message.endswith(f"renamed; write {present}"), message


def test_record_of_another_version_is_refused(default, tmp_path):
    record = load_study(default).model_dump(mode="json", include=set(StudyDesign.model_fields))
    assert validate_record(record, tmp_path / "run.json").seed == record["seed"]
    record["training"]["clip"] = record["training"].pop("grad_clip_norm")
    with pytest.raises(InputError, match=r"run\.json: config: training\.clip: .*; another version of eegwf wrote"):
        validate_record(record, tmp_path / "run.json")
