"""Predicted computing time of a study's jobs, and size of its files."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.study import Study
from eegwf.errors import InputError
from eegwf.plan.costs import Calibration, Stages, measured_rates, shipped_rates
from eegwf.plan.sizes import Sizes, read_sizes


class Forecast:
    """Predictions for a study.

    Parameters
    ----------
    study
        The configuration.
    results
        Its results folder; runs in it calibrate the predictions. Without sizes of the data, nothing is predicted.
    stages
        The stages of the workflow.
    hours
        Duration of the recordings, if the data set is not there yet.
    """

    def __init__(self, study: Study, results: Path, stages: Stages, hours: float | None = None):
        self._paths, self._stages = ResultPaths(results), stages
        self._members = study.spectrograms.members
        self._calibration = Calibration(shipped_rates(), measured_rates(results, stages, study.device), stages)
        try:
            self._sizes: Sizes | None = read_sizes(study, results, hours)
        except InputError:
            self._sizes = None

    def seconds(self, rule: str, wildcards: Mapping[str, str]) -> float | None:
        """Predicted seconds of a job; None if nothing is known about it."""
        if self._sizes is None:
            return None
        return self._calibration.seconds(self._stage(rule, wildcards), wildcards, self._sizes)

    def measured(self, rule: str, wildcards: Mapping[str, str]) -> bool:
        """Whether such jobs have run in the results folder."""
        return self._calibration.measured(self._stage(rule, wildcards), wildcards)

    def watts(self, rule: str, wildcards: Mapping[str, str]) -> dict[str, float]:
        """Mean power of such jobs in the results folder: `cpu` and `gpu` in W, without what was not measured."""
        return self._calibration.own.watts.get(self._stage(rule, wildcards), {})

    def disk(self, combinations: Iterable[str]) -> dict[str, int | None]:
        """Bytes on disk.

        Parameters
        ----------
        combinations
            Names of the combinations that are run.

        Returns
        -------
        dict
            `arrays` and `arrays_peak`, bytes of windows and spectrograms at the end and at most; `runs`, bytes of
            models, checkpoints, maps and tables. None for what is not known before the data are read, or before one
            combination has run.
        """
        names = set(combinations)
        inputs = {Combination.parse(name).spectrogram for name in names}
        spectrograms = {member for name in inputs for member in self._members(name)}
        final, peak = (None, None) if self._sizes is None else self._sizes.disk(spectrograms)
        each = self._bytes_of_a_run()
        return {"arrays": final, "arrays_peak": peak, "runs": None if each is None else each * len(names)}

    @property
    def calibrated(self) -> bool:
        """Whether the predictions use runs in the results folder."""
        return bool(self._calibration.own.rate)

    def _bytes_of_a_run(self) -> int | None:
        """Mean size of the finished combinations and their unfinished work."""
        runs = [run.folder for run in self._paths.finished_runs()]
        files = (path for folder in (*runs, self._paths.state) for path in folder.rglob("*") if path.is_file())
        total = sum(path.stat().st_size for path in files)
        return round(total / len(runs)) if runs else None

    def _stage(self, rule: str, wildcards: Mapping[str, str]) -> str:
        """Stage of a rule; a workflow that uses this one as a module adds a prefix to the names of the rules."""
        for name in sorted(self._stages, key=len, reverse=True):
            rate_of = self._stages[name].cost.rate_of
            if rule == name or (rule.endswith(f"_{name}") and rate_of in {"", *wildcards}):
                return name
        return rule
