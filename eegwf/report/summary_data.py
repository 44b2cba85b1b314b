"""What the summary shows of a finished combination, from its files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from safetensors import safe_open

from eegwf.config.load import validate_record
from eegwf.config.paths import Combination, ResultPaths, RunPaths
from eegwf.report.formats import defined
from eegwf.report.summary_costs import Cost, training_cost
from eegwf.report.summary_external import Tests, read_tests
from eegwf.report.validity import marks
from eegwf.storage.files import read_json

SHOWN = ("rank1", "ensemble")


@dataclass(frozen=True)
class Finished:
    """A finished combination.

    Attributes
    ----------
    combination
        Model, spectrogram and class set.
    metrics
        Content of its `metrics.json`.
    n_weights
        Number of weights of rank 1 of fold 1.
    caution
        Reasons why its scores are not a result; mostly empty.
    cost
        Time of tuning and retraining.
    tests
        Scores on external data sets.
    """

    combination: Combination
    metrics: dict[str, Any]
    n_weights: int
    caution: str
    cost: Cost
    tests: Tests

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.combination.name

    @property
    def label(self) -> str:
        """Its name within the class set."""
        return f"{self.combination.model} · {self.combination.spectrogram}"

    @property
    def members(self) -> list[str]:
        """Members that the summary shows."""
        return [name for name in self.metrics["members"] if name in (*SHOWN, self.metrics["primary"])]

    @property
    def primary(self) -> dict[str, Any]:
        """Scores of the primary member."""
        return self.metrics["members"][self.metrics["primary"]]

    @property
    def score(self) -> dict[str, Any]:
        """Balanced accuracy of the primary member, with its interval."""
        return self.primary["balanced_accuracy"]

    @property
    def baseline(self) -> float:
        """The higher baseline of the balanced accuracy."""
        return max(scores["balanced_accuracy"] for scores in self.metrics["baselines"].values())

    @property
    def order(self) -> float:
        """Place in a descending order: minus the balanced accuracy; undefined ones are last."""
        value = self.score["value"]
        return -value if defined(value) else 1.0


def read_finished(paths: ResultPaths, combination: Combination, external: Sequence[str] = ()) -> Finished:
    """Read the files of a finished combination.

    Parameters
    ----------
    paths
        Files of the study.
    combination
        Model, spectrogram and class set.
    external
        Names of the external data sets on which it was tested.

    Returns
    -------
    Finished
        What the summary shows of it.

    Raises
    ------
    InputError
        If a file is invalid.
    """
    run = paths.run(combination)
    return Finished(
        combination,
        read_json(run.metrics),
        n_weights(run),
        caution(run),
        training_cost(run),
        read_tests(run, external),
    )


def caution(run: RunPaths) -> str:
    """Reasons why the scores of a combination are not a result, from its `run.json`; mostly empty."""
    return ", ".join(marks(validate_record(read_json(run.run_record)["config"], run.run_record)))


def n_weights(run: RunPaths) -> int:
    """Number of weights of rank 1 of fold 1, including the statistics of normalization layers."""
    total = 0
    with safe_open(run.fold(1).rank(1).weights, "np") as file:
        for name in file.keys():  # noqa: SIM118 (safe_open is not a mapping)
            size = 1
            for length in file.get_slice(name).get_shape():
                size *= length
            total += size
    return total
