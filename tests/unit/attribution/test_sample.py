"""Selection of windows, backgrounds and examples."""

import numpy as np

from eegwf.attribution.sample import choose_backgrounds, choose_examples, choose_windows
from eegwf.data.splits import load_window_set
from tests.helpers.study import CLASSES, write_study


def study(tmp_path):
    folder = write_study(tmp_path)
    return load_window_set(folder / "windows.tsv", folder / "folds.tsv", CLASSES)


def test_selection_of_windows_is_reproducible_and_has_the_maximum_of_each_class(tmp_path):
    window_set = study(tmp_path)
    first, second, other = (choose_windows(window_set, 5, seed) for seed in (0, 0, 1))
    assert (first.window == second.window).all() and not (first.window == other.window).all()
    assert np.bincount(first.label).tolist() == [5, 5, 5] and (np.diff(first.window) > 0).all()
    everything = choose_windows(window_set, 10_000, 0)
    assert (everything.window == window_set.window).all()


def test_backgrounds_are_those_of_as_many_patients_as_possible(tmp_path):
    window_set = study(tmp_path)
    chosen = choose_backgrounds(window_set, 6, 3)
    assert len(set(chosen.patient)) == 6 and (chosen.label == 0).all()
    more = choose_backgrounds(window_set, 8, 3)
    assert len(more.window) == 8 and len(set(more.patient)) == 6
    assert len(choose_backgrounds(window_set, 10_000, 3).window) == (window_set.label == 0).sum()
    assert set(choose_backgrounds(window_set, 6, 4).window) != set(chosen.window)


def test_examples_are_the_most_confident_ones():
    label = np.array([0, 1, 1, 2, 1, 0, 0, 2])
    p = np.array(
        [
            [0.9, 0.05, 0.05],  # correct rejection
            [0.1, 0.8, 0.1],  # hit
            [0.05, 0.9, 0.05],  # more confident hit
            [0.7, 0.1, 0.2],  # miss
            [0.8, 0.1, 0.1],  # more confident miss
            [0.2, 0.1, 0.7],  # false alarm
            [0.41, 0.4, 0.19],  # borderline
            [0.1, 0.2, 0.7],  # hit of the other class
        ]
    )
    found = [(example.kind, example.index) for example in choose_examples(label, p)]
    assert found == [("hit", 2), ("hit", 7), ("miss", 4), ("false alarm", 5), ("borderline", 6)]


def test_examples_that_do_not_exist_are_left_out():
    found = choose_examples(np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]))
    assert [(example.kind, example.index) for example in found] == [("borderline", 1)]
