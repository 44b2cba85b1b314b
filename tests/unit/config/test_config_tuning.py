"""Settings of tuning: who tunes, when a study ends, where it starts, and what a search space holds."""

import pytest

from eegwf.config.load import load_study
from eegwf.config.tuning import Choices, Model, Range, n_reserved
from eegwf.errors import InputError

ARRAYS = """
dataset:
  kind: fold_arrays
  n_folds: 3
  window_length: 4.0
  label_names: {0: bckg, 1: sz}
  arrays: {mel: {data: "d{fold}.npy", labels: "l{fold}.npy", patients: "p{fold}.npy"}}
"""


@pytest.fixture
def load(root, tmp_path):
    """Load the defaults with a file of this text over them."""

    def load(text: str):
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return load_study(root / "config/config.yaml", [path])

    return load


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("tuning: {mode: once}", "tuning.mode", "use per_fold or reserved, or set tuning.allow_optimistic: true"),
        ("tuning: {mode: once, allow_optimistic: false}", "tuning.mode", "so their scores are biased upward"),
        (f"tuning: {{mode: reserved}}\n{ARRAYS}", "tuning.mode", "so no patients can be reserved; use per_fold"),
        ("tuning: {mode: twice}", "tuning.mode", "'per_fold', 'reserved' or 'once'"),
        ("tuning: {reserved: 0.6}", "tuning.reserved", "less than or equal to 0.5 (found 0.6)"),
        ("tuning: {reserved: 0}", "tuning.reserved", "greater than 0 (found 0)"),
        (
            "tuning: {n_trials: null}",
            "tuning.n_trials",
            "set tuning.n_trials, tuning.n_epochs or tuning.timeout_minutes",
        ),
        ("tuning: {timeout_minutes: 0}", "tuning.timeout_minutes", "greater than 0 (found 0)"),
        ("tuning: {n_epochs: 0}", "tuning.n_epochs", "greater than or equal to 1 (found 0)"),
        ("tuning: {n_workers: 0}", "tuning.n_workers", "greater than or equal to 1 (found 0)"),
        ("tuning: {n_workers: 65}", "tuning.n_workers", "less than or equal to 64 (found 65)"),
        ("tuning: {sampler: grid}", "tuning.sampler", "'tpe', 'gp' or 'random' (found 'grid')"),
        ("tuning: {pruner: hard}", "tuning.pruner", "'median', 'asha', 'hyperband' or 'none' (found 'hard')"),
        ("tuning: {wilcoxon_p_threshold: 0.7}", "tuning.wilcoxon_p_threshold", "less than or equal to 0.5 (found 0.7)"),
        ("tuning: {wilcoxon_p_threshold: 0.1}", "tuning.wilcoxon_p_threshold", "before the last of 1 inner folds"),
        (
            "folds: 5\ntuning: {inner_folds: 4, wilcoxon_p_threshold: 0.1}",
            "tuning.wilcoxon_p_threshold",
            "before the last of 4 inner folds",
        ),
        (
            "training: {compile: true}\ntuning: {trials_per_gpu: auto}",
            "training.compile",
            "write tuning.trials_per_gpu: 1",
        ),
        ("training: {compile: true}\nretrain: {ranks_per_gpu: 5}", "training.compile", "or training.compile: false"),
        ("cluster: {gres: 'gpu:2'}", "cluster.gres", "(found 'gpu:2')"),
        ("cluster: {gres: 'shard:0'}", "cluster.gres", "(found 'shard:0')"),
        ("permute_labels: perhaps", "permute_labels", "should be a valid boolean"),
    ],
)
def test_refused_with_file_key_and_advice(load, tmp_path, text, place, advice):
    with pytest.raises(InputError) as caught:
        load(text)
    said = str(caught.value).replace(str(tmp_path), "")
    assert said.startswith(f"/mine.yaml: {place}: ") and "\n" not in said, said
    assert advice in said


@pytest.mark.parametrize("limit", ["n_epochs: 40", "timeout_minutes: 0.5", "n_epochs: 40, timeout_minutes: 3"])
def test_any_limit_ends_a_study(load, limit):
    tuning = load(f"tuning: {{n_trials: null, {limit}}}").tuning
    assert tuning.n_trials is None and (tuning.n_epochs, tuning.timeout_minutes) != (None, None)


def test_the_modes_that_are_allowed(load):
    assert load("").tuning.mode == "per_fold"
    assert load("tuning: {mode: reserved}").tuning.reserved == 0.2
    assert load("tuning: {mode: once, allow_optimistic: true}").tuning.mode == "once"
    assert load(f"tuning: {{mode: per_fold}}\n{ARRAYS}").dataset.kind == "fold_arrays"


SPACE = "search: {lr: {low: 1.0e-4, high: 1.0e-2, log: true}, depth: {low: 1, high: 7, step: 2}, heads: {choices: [2]}}"


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("[{lr: 0.5}]", "start has lr 0.5, which is outside its search space"),
        ("[{lr: 1.0e-3}, {depth: 4}]", "start has depth 4, which is outside its search space"),
        ("[{depth: 1.5}]", "start has depth 1.5, which"),
        ("[{depth: true}]", "start has depth True, which"),
        ("[{heads: 4}]", "start has heads 4, which"),
        ("[{warmup: 0.1}]", "start has 'warmup', which has been renamed; write warmup_fraction"),
        ("[defaults, {width: 32}]", "start names 'width', which is not searched; add it to search or fixed"),
    ],
)
def test_starting_sets_outside_the_search_are_refused(load, tmp_path, start, said):
    """Of a model without defaults in the shipped file, so that its space is this one."""
    with pytest.raises(InputError) as caught:
        load(f"models: {{mine: {{timm: convnext_atto, {SPACE}, start: {start}}}}}")
    found = str(caught.value).replace(str(tmp_path), "")
    assert found.startswith(f"/mine.yaml: models.mine: {said}") and "\n" not in found, found


def test_a_start_that_a_later_file_cuts_off_is_that_files_fault(root, tmp_path):
    (tmp_path / "one.yaml").write_text(f"models: {{mine: {{timm: convnext_atto, {SPACE}, start: [{{lr: 1.0e-3}}]}}}}")
    (tmp_path / "two.yaml").write_text("models: {mine: {start: [{lr: 1.0}]}}")
    assert load_study(root / "config/config.yaml", [tmp_path / "one.yaml"]).models["mine"].start == [{"lr": 1e-3}]
    with pytest.raises(InputError) as caught:
        load_study(root / "config/config.yaml", [tmp_path / "one.yaml", tmp_path / "two.yaml"])
    assert str(caught.value).startswith(f"{tmp_path}/two.yaml: models.mine: start has lr 1.0")


def test_starting_sets_that_fit():
    search = {"lr": {"low": 1e-4, "high": 1e-2}, "depth": {"low": 1, "high": 7, "step": 2}, "way": {"choices": ["a"]}}
    start = ["defaults", {"lr": "1e-3", "depth": 7}, {"way": "a"}, {}]
    found = Model.model_validate({"search": search, "start": start}).start
    assert found == ["defaults", {"lr": 0.001, "depth": 7}, {"way": "a"}, {}]


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ({"low": 1, "high": 4}, [1, 2, 4], [0, 5, 2.5, True, "2", float("nan")]),
        ({"low": 1, "high": 10, "step": 4}, [1, 5, 9], [2, 10, 13]),
        ({"low": 0.0, "high": 0.3}, [0, 0.0, 0.17, 0.3], [None, -1e-9, 0.31, False, "0.1", float("inf"), float("nan")]),
        ({"low": 0.1, "high": 0.5, "step": 0.1}, [0.1, 0.2, 0.1 + 0.2, 0.5], [0.15, 0.3001, 0.6]),
        ({"low": 1, "high": 2.0}, [1, 1.5, 2], [0.99, 2.01]),  # a float at one end: no whole numbers
        ({"low": 1e-5, "high": 1e-2, "log": True}, [1e-5, 3e-4, 1e-2], [0, 9e-6, 1.1e-2]),
        ({"low": 1, "high": 64, "log": True}, [1, 3, 64], [0, 1.5, 65]),
    ],
)
def test_what_a_range_holds(entry, inside, outside):
    search = Range.model_validate(entry)
    assert [value for value in inside if not search.holds(value)] == []
    assert [value for value in outside if search.holds(value)] == []


@pytest.mark.parametrize(
    ("choices", "inside", "outside"),
    [
        ([1, 2], [1, 2], [3, True, "1"]),
        ([0, False], [0, False], [True, 1, "0"]),
        ([True], [True], [1, 1.0, "True"]),
        (["adamw", "sgd"], ["adamw", "sgd"], ["adam", "ADAMW", 0, True]),
        ([0.5, "0.7"], [0.5, 0.7], ["0.5", "0.7", 0.6]),  # text that is a number is read as one
    ],
)
def test_what_choices_hold(choices, inside, outside):
    search = Choices.model_validate({"choices": choices})
    assert [value for value in inside if not search.holds(value)] == []
    assert [value for value in outside if search.holds(value)] == []


def test_the_number_of_reserved_patients_is_rounded():
    assert [n_reserved(n_patients, 0.2) for n_patients in (5, 7, 8, 12, 13, 100)] == [1, 1, 2, 2, 3, 20]


@pytest.mark.parametrize("value", ["0", "many", "1.5", "65"])
def test_number_of_trials_at_once_is_an_integer_or_auto(load, value):
    with pytest.raises(InputError, match=r"mine.yaml: tuning.trials_per_gpu: should be 'auto'"):
        load(f"tuning: {{trials_per_gpu: {value}}}")
    assert load("tuning: {trials_per_gpu: auto}").tuning.trials_per_gpu == "auto"
