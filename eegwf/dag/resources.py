"""Resources that jobs request from a cluster: memory and time, more of both at each further attempt, up to a limit.

Both are generous: a job that requests too much waits longer, a job that requests too little is killed. A training that
is cut off continues from its last checkpoint at the next attempt.
"""

import math
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from eegwf.config.cluster import Cluster
from eegwf.config.study import Study
from eegwf.dag.combinations import Combinations
from eegwf.dag.stages import STAGES, RuleResources
from eegwf.plan.forecast import Forecast

# Starting a container from a busy network disk can take minutes.
MIN_MINUTES = 20
SAFETY_FACTOR = 3


def memory(resources: RuleResources, attempt: int, cluster: Cluster) -> int:
    """Memory to request, doubled at each attempt after the first.

    Parameters
    ----------
    resources
        Resources of the stage.
    cluster
        Limits.

    Returns
    -------
    int
        Megabytes.
    """
    return min(resources.mem_mb * 2 ** (attempt - 1), cluster.max_mem_mb)


def minutes(resources: RuleResources, seconds: float | None, measured: bool) -> int:
    """Minutes to request at a job's first attempt.

    Parameters
    ----------
    resources
        Resources of its stage.
    seconds
        Predicted time of the job; None if nothing is known.
    measured
        Whether such a job has run on this machine. Otherwise the prediction comes from another machine and may be far
        too short, so that no less than the stage's minutes is requested. The same applies to stages without a model, of
        whose jobs only the last attempt was measured.

    Returns
    -------
    int
        Minutes.
    """
    predicted = math.ceil(SAFETY_FACTOR * (seconds or 0) / 60)
    minimum = MIN_MINUTES if measured and seconds and resources.gpu == "model" else resources.minutes
    return max(predicted, minimum)


def runtime(first: int, attempt: int, cluster: Cluster) -> int:
    """Time to request: that of the first attempt, times the number of the attempt.

    Parameters
    ----------
    first
        Minutes of the first attempt.
    cluster
        Limits.

    Returns
    -------
    int
        Minutes.
    """
    return min(first * attempt, cluster.max_minutes)


class ResourceRequests:
    """Resources of the rules of a study, in Snakemake's form.

    Parameters
    ----------
    study
        The configuration.
    combinations
        Its combinations, which know the models.
    """

    def __init__(self, study: Study, combinations: Combinations):
        self._study = study
        self._combinations = combinations

    def for_rule(self, rule: str) -> dict[str, Any]:
        """Resources of a rule; those that depend on the job are functions of wildcards and attempt."""
        resources, cluster = STAGES[rule].resources, self._study.cluster
        gpus = self._gpus(resources.gpu)
        return {
            **(self._as_gres(gpus, cluster.gres) if cluster.gres else {"gpu": gpus}),
            "cpus_per_task": self._study.threads if resources.gpu == "model" else resources.cpus,
            "mem_mb": lambda wildcards, attempt: memory(resources, attempt, cluster),
            "runtime": lambda wildcards, attempt: runtime(self._minutes(rule, wildcards), attempt, cluster),
        }

    def _minutes(self, rule: str, wildcards: Any) -> int:
        names = dict(wildcards.items())
        seconds, measured = self._forecast.seconds(rule, names), self._forecast.measured(rule, names)
        return minutes(STAGES[rule].resources, seconds, measured)

    @cached_property
    def _forecast(self) -> Forecast:
        return Forecast(self._study, Path(self._study.results), STAGES)

    def _gpus(self, used_for: str | None) -> Callable[[Any], int]:
        if used_for == "model":
            return lambda wildcards: int(
                self._study.device != "cpu" and self._combinations.entry(wildcards.model).gradient_trained
            )
        requested = int(used_for == "spectrogram" and self._study.spectrograms.device != "cpu")
        return lambda wildcards: requested

    @staticmethod
    def _as_gres(gpus: Callable[[Any], int], gres: str) -> dict[str, Any]:
        # SLURM refuses a job that requests GPUs in both ways; a limit in a profile counts them under another name.
        return {"gres": lambda wildcards: gres if gpus(wildcards) else "", "gres_gpus": gpus}
