"""What YAML reads as something else than was written: refused with the line, or read as it was meant."""

import json
import random
from pathlib import Path

import pytest
import yaml

from eegwf.config.load import load_study
from eegwf.dag.flow_reading import read_flow
from eegwf.errors import InputError


@pytest.fixture
def message(root, tmp_path):
    """Message about a configuration file, its lines without the name of the file."""

    def refused(text: str, overrides: dict | None = None) -> str:
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        with pytest.raises(InputError) as caught:
            read_flow(root / "config/config.yaml", [path], overrides)
        return "\n".join(line.strip().removeprefix(f"{path}: ") for line in str(caught.value).splitlines())

    return refused


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("windows: {length: 3}\nfolds: 4\nwindows: {step: 3}\n", "windows: given twice, in lines 1 and 3"),
        ("signals:\n  flat: keep\n  sfreq: 128\n  flat: keep\n", "signals.flat: given twice, in lines 2 and 4"),
        ("seed: 1\nseed: 2\nfolds: 3\nseed: 1\n", "seed: given 3 times, in lines 1, 2 and 4"),
        ("classes: {2class: {a: [bckg], 'a': [sz]}}\n", "classes.2class.a: given twice, in line 1"),
        (
            "dataset: {kind: fold_arrays, label_names: {0: bckg, 00: sz}}\n",
            "dataset.label_names.0: given twice, in line 1",
        ),
        ("patients: {5: sub-01, '5': sub-02}\n", "patients.5: given twice, in line 1"),
        (
            "models:\n  vit: {search: {lr: {choices: [1]},\n    lr: {choices: [2]}}}\n",
            "models.vit.search.lr: given twice",
        ),
    ],
)
def test_key_that_is_given_twice_is_refused_with_its_lines(message, text, expected):
    said = message(text)
    assert said.startswith(expected) and said.endswith("YAML would keep the last; write it once")


def test_merge_keys_of_yaml_are_no_duplicates(root, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("windows: &w {length: 3, step: 3}\nexplanation: {max_windows_per_class: 3}\nretrain: {n_best: 2}\n")
    assert load_study(root / "config/config.yaml", [path]).windows.length == 3
    path.write_text(
        "spectrograms:\n  mel: &grid {n_freqs: 8, n_frames: 9}\n  stft: {<<: *grid, n_freqs: 10}\n  cwt: *grid\n"
    )
    found = load_study(root / "config/config.yaml", [path]).spectrograms
    assert (found.stft.n_freqs, found.stft.n_frames, found.cwt.n_freqs) == (10, 9, 8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "classes:\n  seizing:\n    no: [bckg]\n    yes: [sz]\n",
            "classes.seizing: line 3: the key no is false in YAML; write 'no'\n"
            "classes.seizing: line 4: the key yes is true in YAML; write 'yes'",
        ),
        ("off: 3\n", "line 1: the key off is false in YAML; write 'off'"),
        ("patients:\n  sub-02: sub-01\n  ~: sub-01\n", "patients: line 3: the key ~ is null in YAML; write '~'"),
        ("patients: {2024-01-02: sub-01}\n", "patients: line 1: the key 2024-01-02 is a date in YAML; write '2024-"),
        (
            "external: {a_b: {configfile: x.yaml}}\n",
            "external.a_b: String should match pattern '^[a-z0-9-]+$' (line 1: the key a_b)",
        ),
        ("patients: {1.5: sub-01}\n", "patients: line 1: the key 1.5 is the number 1.5 in YAML; write '1.5'"),
        ("patients: {5: sub-01}\n", "patients.5: should be a valid string (line 1: the key 5 is the number 5 in YAML"),
        ("classes: {2: {a: [bckg], b: [sz]}}\n", "classes.2: should be a valid string (line 1: the key 2 is the num"),
        ("?\n: 5\n", "line 1: a key is missing before the colon"),
    ],
)
def test_wrong_key_is_named(message, text, expected):
    assert message(text).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("windows: {length: 1:30}\n", "windows.length: line 1: YAML reads 1:30 as 90, in base 60; write this number"),
        ("windows:\n  length: 0:00:05.5\n", "windows.length: line 2: YAML reads 0:00:05.5 as 5.5, in base 60"),
        ("folds: 3\nseed: 017\n", "seed: line 2: YAML reads 017 as 15, in base 8; write 17 for the decimal number"),
        ("signals: {notch: [050]}\n", "signals.notch.0: line 1: YAML reads 050 as 40, in base 8; write 50 for the"),
        ("results: 2024-01-31\n", "results: line 1: YAML reads 2024-01-31 as a date; write '2024-01-31'"),
        ("folds: 1e1\n", "folds: '1e1' is text in YAML"),
        ("training: {epochs: 1e1}\n", "training.epochs: should be a valid integer, unable to parse string as an "
         "integer (line 1: found 1e1, which is text in YAML; write 10)"),
    ],
)  # fmt: skip
def test_number_that_yaml_reads_otherwise_is_refused(message, text, expected):
    assert message(text).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("signals:\n  l_freq: off\n", "signals.l_freq: should be a valid number (line 2: found off, which is false in"),
        ("signals: {notch: [yes]}\n", "signals.notch.0: should be a valid number (line 1: found yes, which is true in"),
        ("folds: on\n", "folds: should be a valid"),
        ("windows: {length: true}\n", "windows.length: should be a valid number (line 1: found true, which is true"),
        ("training: {ema_decay: no}\n", "training.ema_decay: should be a valid number (line 1: found no, which is fal"),
        ("models: {vit: {search: {lr: {low: no, high: 1}}}}\n", "models.vit.search.lr.low: should be a valid "),
        (
            "signals: {flat: no}\n",
            "signals.flat: should be 'keep', 'interpolate' or 'exclude' (line 1: found no, which",
        ),
        ("results: no\n", "results: should be a valid string (line 1: found no, which is false in YAML; write 'no' if"),
        ("results: 5\n", "results: should be a valid string (line 1: found 5, which is a number in YAML; write '5'"),
        ("signals: {l_freq: 'off'}\n", "signals.l_freq: should be a valid number"),
        ("threads: ~\n", "threads: should be a valid integer (line 1: found ~, which is null in YAML)"),
    ],
)
def test_truth_value_in_place_of_a_number_or_text_is_refused(message, text, expected):
    assert message(text).startswith(expected)


def test_truth_value_of_the_command_line_is_no_number_either(message):
    said = message("", {"signals": {"l_freq": False}})
    assert said == "--config: signals.l_freq: should be a valid number (found False)"


def test_truth_values_and_numbers_that_are_meant_are_read(root, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "permute_labels: yes\ndeterministic: off\nfolds: 7\nseed: 1_000\nsignals: {sfreq: 2e2, l_freq: null}\n"
        "windows: {length: 08}\ndataset: {kind: fold_arrays, label_names: {0: bckg, 1: sz, '2': impd}, "
        "arrays: {mel: {data: 'd{fold}', labels: 'l{fold}', patients: 'p{fold}'}}}\n"
        "models: {vit: {fixed: {dropout: 1e-1}, search: {depth: {choices: [yes, 2e0, '3']}}}}\n"
    )
    study = load_study(root / "config/config.yaml", [path])
    assert study.permute_labels is True and study.deterministic is False and (study.folds, study.seed) == (7, 1000)
    assert (study.signals.sfreq, study.windows.length) == (200.0, 8.0)
    assert study.dataset.label_names == {0: "bckg", 1: "sz", 2: "impd"}
    assert study.models["vit"].fixed["dropout"] == 0.1
    assert study.models["vit"].search["depth"].choices == [True, 2.0, 3]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("signals:\nfolds: 3\n", "signals: empty (line 1)"),
        ("folds: 3\nmodels:\n  vit:\n", "models.vit: empty (line 3)"),
        ("signals:\n  l_freq:\n  sfreq: 128\n", "signals.l_freq: empty (line 2)"),
        ("matrix: {models: [vit], classes}\n", "matrix.classes: empty (line 1)"),
        ("matrix:\n  models:\n    -\n", "matrix.models.0: empty (line 3)"),
    ],
)
def test_empty_key_is_refused_with_its_line(message, text, place):
    assert message(text).startswith(f"{place}, which YAML reads as null; write its value (null for none)")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("signals: null\n", "signals"),
        ("models: {vit: ~}\n", "models.vit"),
        ("spectrograms: {mel: null}\n", "spectrograms.mel"),
        ("classes: {2class: null}\n", "classes.2class"),
        ("models: {vit: {search: {lr: null}}}\n", "models.vit.search.lr"),
    ],
)
def test_null_in_place_of_a_section_is_refused(message, text, place):
    assert message(text) == f"{place}: null in place of a section; write its keys below it, or remove it"


@pytest.mark.parametrize("value", ["3", "[1, 2]", "wide", "yes", "null", "{}", "1e-3"])
def test_search_entry_of_another_kind_ends_in_no_stack_trace(message, value):
    assert message(f"models: {{vit: {{search: {{width: {value}}}}}}}\n").startswith("models.vit.search.width")


def test_section_that_contains_itself_is_refused(message):
    assert message("models: &m {vit: {fixed: *m}}\n").startswith("models.vit.fixed: an alias refers to the section")
    assert "nested too deeply" in message("[" * 5000)


def test_all_faults_of_a_file_are_listed(message):
    said = message("signals:\nseed: 017\non: 1\nseed: 2\n").splitlines()
    assert [line.split(":")[0] for line in said] == ["seed", "signals", "seed", "line 3"]


def test_published_configuration_is_read_as_yaml(root, tmp_path):
    """`eegwf reproduce` writes JSON, whose null, true and false are YAML."""
    study = load_study(root / "config/config.yaml")
    (tmp_path / "published.yaml").write_text(json.dumps(study.model_dump(mode="json"), indent=1))
    assert load_study(root / "config/config.yaml", [tmp_path / "published.yaml"]) == study


def places_of(section: dict, above: tuple = ()):
    for key, value in section.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from places_of(value, (*above, key))


@pytest.mark.slow
def test_wrong_values_anywhere_are_accepted_or_refused_in_lines(root, tmp_path):
    """500 random replacements of values, keys and characters of the largest configuration; nothing else is raised."""
    draw = random.Random(16)
    full = (root / "config/full.yaml").read_text()
    tusz = root / "config/datasets/tusz.yaml"
    values = ["null", "[]", "x", "yes", "off", "1e-3", "{}", "017", "1:30", "2024-01-01", "", "[yes, null]", "{on: 1}"]
    path, refused = tmp_path / "full.yaml", 0
    for number in range(500):
        if number % 2:
            content = yaml.safe_load(full)
            *above, last = draw.choice(list(places_of(content)))
            section = content
            for key in above:
                section = section[key]
            section[last] = "VALUE"
            text = yaml.safe_dump(content, sort_keys=False).replace("VALUE", draw.choice(values))
        else:
            place = draw.randrange(len(full))
            text = full[:place] + draw.choice("\t{}[]:,#&*'\"\n?- !%@`~0é") + full[place + draw.randrange(3) :]
        path.write_text(text, encoding="utf-8")
        try:
            read_flow(Path(root, "config/config.yaml"), [path, tusz], {})
        except InputError as error:
            refused += 1
            lines = [line.strip() for line in str(error).splitlines()]
            assert lines and all(len(line) < 2000 for line in lines)
    assert refused > 200


def test_section_without_its_kind_is_told_that_it_replaces_the_earlier_one(message):
    assert message("dataset: {root: data}\n") == (
        "dataset.kind: missing; this section replaces that of earlier files as a whole, so write all its keys, first "
        "its kind"
    )
    said = message("dataset: {kind: bidz}\n")
    assert said == "dataset.kind: found 'bidz'; write one of 'synthetic', 'bids', 'files', 'fold_arrays'"
