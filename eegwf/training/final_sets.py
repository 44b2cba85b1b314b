"""Choice of the parameter sets of the final models, from what cross-validation chose in each outer fold."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eegwf.config.paths import RunPaths
from eegwf.storage.files import read_json


@dataclass(frozen=True)
class RetrainedSet:
    """A parameter set that was retrained in an outer fold.

    Attributes
    ----------
    fold, rank
        Outer fold and rank.
    parameters
        Parameters of the trial.
    value
        Score of the trial on the inner validation folds.
    best_epoch
        Number of epochs after which its validation score was best.
    """

    fold: int
    rank: int
    parameters: dict[str, Any]
    value: float
    best_epoch: int


@dataclass(frozen=True)
class FinalSet:
    """Parameter set of a final model.

    Attributes
    ----------
    trainings
        Trainings of this parameter set in cross-validation, in the order of rank and fold.
    repeated
        The one of them whose epochs and learning rates the final training repeats: that with the median number of
        epochs.
    """

    trainings: tuple[RetrainedSet, ...]
    repeated: RetrainedSet

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the set."""
        return self.repeated.parameters

    @property
    def rank(self) -> int:
        """Best rank of the set."""
        return self.trainings[0].rank

    @property
    def value(self) -> float:
        """Mean score of its trials on the inner validation folds."""
        return float(np.mean([training.value for training in self.trainings]))


def read_retrained_sets(run: RunPaths, folds: Sequence[int], ranks: Sequence[int]) -> list[RetrainedSet]:
    """Read what was retrained in the outer folds of a combination.

    Parameters
    ----------
    run
        Files of the combination.
    folds, ranks
        Numbers of the outer folds, and ranks.

    Returns
    -------
    list of RetrainedSet
        In the order of folds and ranks.
    """
    result = []
    for fold in folds:
        entries = {entry["rank"]: entry for entry in read_json(run.fold(fold).best)}
        for rank in ranks:
            described = read_json(run.fold(fold).rank(rank).model)
            entry = entries[rank]
            result.append(RetrainedSet(fold, rank, entry["params"], entry["value"], described["best_epoch"]))
    return result


def choose_final_sets(retrained: Sequence[RetrainedSet], n_best: int, n_seeds: int = 1) -> list[FinalSet]:
    """Choose the parameter sets of the final models.

    Test folds have no part in the choice. Equal sets of several folds are one set.

    Parameters
    ----------
    retrained
        What was retrained in the outer folds.
    n_best
        Maximum number of sets.
    n_seeds
        Number of random seeds with which each set is trained.

    Returns
    -------
    list of FinalSet
        By best rank, then by mean score on the inner validation folds, then by the first fold that chose them; each of
        them `n_seeds` times, since the number of a final model decides its seed.
    """
    groups: dict[str, list[RetrainedSet]] = {}
    for item in sorted(retrained, key=lambda item: (item.rank, item.fold)):
        groups.setdefault(json.dumps(item.parameters, sort_keys=True), []).append(item)
    sets = []
    for trainings in groups.values():
        by_epochs = sorted(trainings, key=lambda item: item.best_epoch)
        sets.append(FinalSet(tuple(trainings), by_epochs[(len(by_epochs) - 1) // 2]))
    sets.sort(key=lambda item: (item.rank, -item.value, item.trainings[0].fold))
    return [chosen for chosen in sets[:n_best] for _ in range(n_seeds)]
