"""Comparison of finished combinations of a class set, from their predictions."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.errors import InputError
from eegwf.evaluation.bootstrap import patient_draws
from eegwf.evaluation.comparison import Comparison, Counts, all_pairs, compare, count_windows
from eegwf.evaluation.paired_tests import holm

COLUMNS = {"window": np.int64, "patient": str, "fold": np.int64, "label": str, "predicted": str}
OTHER_WINDOWS = "other windows, labels or folds; rerun its retraining"
TESTS = ("patients", "folds")


@dataclass(frozen=True)
class TestedWindows:
    """Labeled windows of the primary member of a combination.

    Attributes
    ----------
    key
        Digest of the windows with their patients, folds and labels, and of the classes: combinations of one key can
        be compared.
    patient, fold
        Name of each patient, in ascending order, and the test fold, `(n_patients,)`.
    total, correct
        Labeled windows and correctly classified ones, `(n_patients, n_classes)`.
    """

    key: str
    patient: np.ndarray
    fold: np.ndarray
    total: np.ndarray
    correct: np.ndarray


@dataclass(frozen=True)
class RunComparison:
    """Comparison of all pairs of combinations of a class set.

    Attributes
    ----------
    names
        Compared combinations, by descending balanced accuracy.
    skipped
        Combinations that can't be compared with the others, and why.
    pairs
        Numbers of the combinations of each pair, the better one first, `(n_pairs, 2)`.
    tests
        Differences and tests of the pairs.
    adjusted
        Holm-adjusted p-values of the tests over patients and over folds, `(2, n_pairs)`: both tests of all pairs are
        one family.
    confidence
        Level of the intervals; two combinations are told apart if an adjusted p-value is at most 1 minus this level.
    """

    names: list[str]
    skipped: dict[str, str]
    pairs: np.ndarray
    tests: Comparison
    adjusted: np.ndarray
    confidence: float

    @property
    def apart(self) -> np.ndarray:
        """Whether each test tells a pair apart, `(2, n_pairs)`."""
        return self.adjusted <= 1 - self.confidence + 1e-12

    def number_of(self, first: str, second: str) -> tuple[int, int] | None:
        """Find the pair of two combinations.

        Parameters
        ----------
        first, second
            Names of the combinations.

        Returns
        -------
        tuple of int, or None
            Number of the pair, and the sign of `first` minus `second` in it; None if one is not compared.
        """
        if first not in self.names or second not in self.names or first == second:
            return None
        i, j = self.names.index(first), self.names.index(second)
        low, high, n = min(i, j), max(i, j), len(self.names)
        return low * n - low * (low + 1) // 2 + high - low - 1, 1 if i < j else -1

    @property
    def like_best(self) -> list[str]:
        """Combinations that no test tells apart from the one of the highest score, and this one itself."""
        return [name for name, group in self.tie_groups.items() if group == 1]

    @property
    def tie_groups(self) -> dict[str, int]:
        """Group of each combination, from 1: those that no test tells apart from the best one without a group yet."""
        apart = np.zeros((len(self.names),) * 2, dtype=bool)
        apart[self.pairs[:, 0], self.pairs[:, 1]] = self.apart.any(axis=0)
        groups: dict[int, int] = {}
        left, group = np.ones(len(self.names), dtype=bool), 0
        while left.any():
            group += 1
            members = left & ~apart[left.argmax()]
            left &= ~members
            groups |= dict.fromkeys(np.flatnonzero(members).tolist(), group)
        return {name: groups[number] for number, name in enumerate(self.names)}

    def table(self) -> pd.DataFrame:
        """The pairs as a table, a row each: `comparison.tsv` without the class set."""
        names = np.array(self.names, dtype=object)
        apart = [" and ".join(name for name, told in zip(TESTS, pair, strict=True) if told) for pair in self.apart.T]
        tests = self.tests
        return pd.DataFrame(
            {
                "first": names[self.pairs[:, 0]],
                "second": names[self.pairs[:, 1]],
                "difference": tests.difference,
                "low": tests.low,
                "high": tests.high,
                "bootstrap_low": tests.bootstrap_low,
                "bootstrap_high": tests.bootstrap_high,
                "p_patients": tests.p_patients,
                "p_folds": tests.p_folds,
                "n_folds": tests.folds,
                "p_patients_holm": self.adjusted[0],
                "p_folds_holm": self.adjusted[1],
                "told_apart": apart,
            }
        )


def read_tested(path: Path, member: str, classes: list[str]) -> TestedWindows:
    """Read the labeled windows of a member from `predictions.tsv`.

    Parameters
    ----------
    path
        The file.
    member
        Name of the member.
    classes
        Names of the classes.

    Returns
    -------
    TestedWindows
        Its windows, counted by patient and class.

    Raises
    ------
    InputError
        If the file lacks a column, the member, or a class.
    """
    table = _rows_of(path, member)
    table = table[table["label"] != ""].sort_values("window", kind="stable")
    if table.empty:
        raise InputError(f"{path}: no labeled window of {member}; rerun the evaluation")
    index = pd.Index(classes)
    truth, predicted = index.get_indexer(pd.Index(table["label"])), index.get_indexer(pd.Index(table["predicted"]))
    if (truth < 0).any() or (predicted < 0).any():
        raise InputError(f"{path}: a class that is none of {', '.join(classes)}; rerun the evaluation")
    patients, first, patient = np.unique(table["patient"].to_numpy(str), return_index=True, return_inverse=True)
    sizes = len(patients), len(classes)
    right = truth == predicted
    digest = hashlib.sha256("\n".join([*classes, "", *patients]).encode())
    for values in (table["window"].to_numpy(), table["fold"].to_numpy(), patient, truth):
        digest.update(np.ascontiguousarray(values, dtype=np.int64).tobytes())
    return TestedWindows(
        key=digest.hexdigest(),
        patient=patients,
        fold=table["fold"].to_numpy()[first],
        total=count_windows(truth, patient, *sizes),
        correct=count_windows(truth[right], patient[right], *sizes),
    )


def _rows_of(path: Path, member: str) -> pd.DataFrame:
    """Rows of a member. Members follow each other in the file, so the lines of the others are not parsed."""
    text = Path(path).read_bytes()
    head, line = text.find(b"\n") + 1, b"\n" + member.encode() + b"\t"
    start, last = text.find(line), text.rfind(line)
    end = text.find(b"\n", last + 1)
    rows = text[start + 1 : len(text) if end < 0 else end + 1] if start >= 0 else b""
    names = text[:head].decode().rstrip("\n").split("\t")
    missing = [name for name in ("member", *COLUMNS) if name not in names]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; rerun the evaluation")
    try:
        table = pd.read_csv(
            io.BytesIO(text[:head] + rows), sep="\t", usecols=["member", *COLUMNS], dtype={"member": str, **COLUMNS},
            na_filter=False,
        )  # fmt: skip
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path}: not a table of predictions ({' '.join(str(error).split())})") from None
    return table[table["member"] == member]


def compare_runs(runs: dict[str, tuple[Path, dict[str, Any]]]) -> RunComparison:
    """Compare all pairs of combinations of a class set by the balanced accuracy of their primary members.

    Parameters
    ----------
    runs
        For each combination its `predictions.tsv` and the content of its `metrics.json`, at least one.

    Returns
    -------
    RunComparison
        Differences and tests. Combinations that were scored on other windows than most are skipped.

    Raises
    ------
    InputError
        If a file is invalid.
    """
    tested = {name: read_tested(path, metrics["primary"], metrics["classes"]) for name, (path, metrics) in runs.items()}
    keys = [windows.key for windows in tested.values()]
    common = max(dict.fromkeys(keys), key=keys.count)  # the first on a tie
    skipped = {name: OTHER_WINDOWS for name, windows in tested.items() if windows.key != common}
    kept = {name: windows for name, windows in tested.items() if name not in skipped}
    scores = {name: runs[name][1]["members"][runs[name][1]["primary"]]["balanced_accuracy"]["value"] for name in kept}
    names = sorted(kept, key=lambda name: -scores[name])
    first = kept[names[0]]
    # A last fold without labeled windows isn't seen here, which makes the test over folds slightly conservative.
    n_folds = int(first.fold.max())
    counts = Counts(np.stack([kept[name].correct for name in names]), first.total, first.fold, n_folds)
    settings = runs[names[0]][1]["bootstrap"]
    # The draws of the evaluation, so that the intervals of scores and of differences have the same replicates.
    draws = patient_draws(len(first.patient), settings["replicates"], settings["seed"])
    pairs = all_pairs(len(names))
    tests = compare(counts, pairs, draws, settings["confidence"])
    adjusted = holm(np.stack([tests.p_patients, tests.p_folds]))
    return RunComparison(names, skipped, pairs, tests, adjusted, settings["confidence"])
