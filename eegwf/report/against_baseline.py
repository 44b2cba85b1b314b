"""Comparison of a combination with the classical baseline, for its report."""

from typing import Any

from eegwf.config.paths import Combination, ResultPaths, RunPaths
from eegwf.evaluation.compared_runs import compare_runs
from eegwf.report.formats import count, difference, difference_interval, listing, number, probability, score
from eegwf.storage.files import read_json

NO_CHOICE: dict[str, Any] = {"baseline": "", "candidates": []}
"""A class set without a classical combination."""
TESTS = (
    "The test over patients is about these trained classifiers on further patients, the test over folds about the "
    "procedures with other training patients."
)


def baseline_section(paths: ResultPaths, combination: Combination, choice: dict[str, Any]) -> str:
    """Name the classical baseline, and compare a combination with it.

    Parameters
    ----------
    paths
        Files of the study.
    combination
        The combination.
    choice
        Content of `baseline_<classes>.json`.

    Returns
    -------
    str
        How the baseline was chosen, and the comparison, in sentences; empty without a baseline.

    Raises
    ------
    InputError
        If a file is invalid.
    """
    chosen, name = choice_sentence(choice), choice["baseline"]
    if not name:
        return ""
    if name == combination.name:
        return f"The other combinations of the class set are compared with this one. {chosen}"
    return f"{chosen} {against_baseline(paths.run(combination), paths.run(Combination.parse(name)))}"


def choice_sentence(choice: dict[str, Any]) -> str:
    """Say which combination is the classical baseline and why, from `baseline_<classes>.json`; empty without one."""
    name, candidates = choice["baseline"], choice["candidates"]
    if not candidates:
        return ""
    if len(candidates) == 1:
        return f"{name} is the only classical combination of the class set."
    scores = listing([f"{one['combination']} {score(one['balanced_accuracy'])}" for one in candidates])
    return (
        f"{name} has the highest balanced accuracy on the validation windows (mean of the outer folds) of "
        f"{count(len(candidates), 'classical combination')}: {scores}."
    )


def against_baseline(run: RunPaths, baseline: RunPaths) -> str:
    """Compare the balanced accuracy of the primary member with that of the classical baseline.

    Parameters
    ----------
    run, baseline
        Files of the combination, and of a classical one on the same class set.

    Returns
    -------
    str
        Difference, interval, p-values and what they mean, in sentences; the reason if they can't be compared.

    Raises
    ------
    InputError
        If a file is invalid.
    """
    names = run.folder.name, baseline.folder.name
    files = {one.folder.name: (one.predictions, read_json(one.metrics)) for one in (run, baseline)}
    compared = compare_runs(files)
    found = compared.number_of(*names)
    if found is None:
        return f"{names[0]} and {names[1]} can't be compared: they were scored on other windows, labels or folds."
    index, sign = found
    tests, level = compared.tests, number(round(100 * compared.confidence, 6))
    low, high = sorted((sign * float(tests.low[index]), sign * float(tests.high[index])))
    value, of_folds = sign * float(tests.difference[index]), sign * float(tests.fold_difference[index])
    bounds = difference_interval(low, high)
    interval = f"{level} % confidence interval {bounds}" if bounds else "no interval"
    p_values = [probability(float(p)) for p in compared.adjusted[:, index]]
    text = (
        f"Balanced accuracy minus that of {names[1]} on the same windows: {difference(value)} ({interval}; "
        f"p, patients: {p_values[0]}), mean of the folds {difference(of_folds)} (p, folds: {p_values[1]}); p corrected "
        "for two tests."
    )
    differences = [one for one, apart in zip((value, of_folds), compared.apart[:, index], strict=True) if apart]
    return f"{text} {_meaning(differences, names[1])} {TESTS}"


def _meaning(differences: list[float], baseline: str) -> str:
    """What the differences of the tests that tell the two apart mean."""
    if not differences:
        return (
            f"No test tells the two apart: the model is not shown to have learned more than {baseline}, a classical "
            "model."
        )
    if min(differences) < 0 < max(differences):
        return f"The two tests contradict each other; the model is not shown to be better than {baseline}."
    better = "better" if max(differences) > 0 else "worse"
    return f"By at least one test, the model is {better} than {baseline}, a classical model."
