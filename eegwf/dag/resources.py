"""What jobs ask a cluster for: memory and time, more of both at each further attempt, up to a cap.

Both are generous rather than exact: a job that asks for too much waits a little longer, one that asks for too little
is killed. Measured on the default study: 1.2 GB for a training, 0.9 GB for an explanation, 0.7 GB for a spectrogram,
half a GB for the reading, 0.2 GB for the rest. Time is thrice what a job is predicted to take, and no less than a table
says, but for trainings and explanations whose like has run in this study's results. A training that is cut off goes on
from its last checkpoint at the next attempt.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from eegwf.config.cluster import Cluster
from eegwf.config.study import Study
from eegwf.dag.combinations import Matrix
from eegwf.plan.forecast import Forecast


@dataclass(frozen=True)
class Need:
    """What a rule's first attempt asks for.

    Attributes
    ----------
    mem_mb, minutes
        Memory (MB) and time.
    cpus
        Cores; of what trains or explains a model, `threads` of the configuration take their place.
    gpu
        What a GPU would be used for: a `model`, a `spectrogram`, or nothing.
    """

    mem_mb: int
    minutes: int
    cpus: int = 1
    gpu: str | None = None


# Starting a container from a busy network disk may take minutes, so nothing asks for less.
LEAST_MINUTES = 20
MARGIN = 3
NEEDS = {
    "synthesise": Need(2_000, 30, cpus=4),
    "windows": Need(8_000, 240, cpus=8),
    "import_tables": Need(2_000, 20),
    "import_spectrogram": Need(4_000, 60),
    "folds": Need(4_000, 20),
    "spectrogram": Need(4_000, 120, cpus=8, gpu="spectrogram"),
    "search": Need(6_000, 480, gpu="model"),
    "tune": Need(1_000, 20),
    "retrain": Need(6_000, 240, gpu="model"),
    "explain": Need(6_000, 60, gpu="model"),
    "evaluate": Need(4_000, 60),
    "report": Need(4_000, 30),
    "summary": Need(1_000, 20),
}


def memory(need: Need, attempt: int, cluster: Cluster) -> int:
    """Megabytes to ask for: twice as many at each attempt after the first."""
    return min(need.mem_mb * 2 ** (attempt - 1), cluster.max_mem_mb)


def minutes(need: Need, seconds: float | None, measured: bool) -> int:
    """Minutes of a job's first attempt.

    Parameters
    ----------
    need
        What its rule asks for.
    seconds
        What the job is predicted to take; None if nothing is known.
    measured
        Whether its like has run on this machine; else the prediction is of another one, and may be far too short. Of
        what computes without a model only the last attempt was measured, so that it never asks for less than its rule.
    """
    predicted = math.ceil(MARGIN * (seconds or 0) / 60)
    return max(predicted, LEAST_MINUTES if measured and seconds and need.gpu == "model" else need.minutes)


def runtime(first: int, attempt: int, cluster: Cluster) -> int:
    """Minutes to ask for: once more the first attempt's at each attempt after it."""
    return min(first * attempt, cluster.max_minutes)


class Requests:
    """What the rules of a study ask for, as Snakemake takes it."""

    def __init__(self, study: Study, matrix: Matrix):
        self._study = study
        self._matrix = matrix

    def of(self, rule: str) -> dict[str, Any]:
        """A rule's `resources`; those that grow are functions of wildcards and attempt."""
        need, cluster = NEEDS[rule], self._study.cluster
        gpus = self._gpus(need.gpu)
        return {
            **(self._by_gres(gpus, cluster.gres) if cluster.gres else {"gpu": gpus}),
            "cpus_per_task": self._study.threads if need.gpu == "model" else need.cpus,
            "mem_mb": lambda wildcards, attempt: memory(need, attempt, cluster),
            "runtime": lambda wildcards, attempt: runtime(self._minutes(rule, wildcards), attempt, cluster),
        }

    def _minutes(self, rule: str, wildcards) -> int:
        names = dict(wildcards.items())
        return minutes(NEEDS[rule], self._forecast.seconds(rule, names), self._forecast.measured(rule, names))

    @cached_property
    def _forecast(self) -> Forecast:
        return Forecast(self._study, Path(self._study.results))

    def _gpus(self, used_for: str | None) -> Callable[[Any], int]:
        if used_for == "model":
            return lambda wildcards: int(self._study.device != "cpu" and self._matrix.entry(wildcards.model).by_steps)
        wanted = int(used_for == "spectrogram" and self._study.spectrograms.device != "cpu")
        return lambda wildcards: wanted

    @staticmethod
    def _by_gres(gpus: Callable[[Any], int], gres: str) -> dict[str, Any]:
        # Asked for in both ways, SLURM would refuse; what a profile limits is counted under another name.
        return {"gres": lambda wildcards: gres if gpus(wildcards) else "", "gres_gpus": gpus}
