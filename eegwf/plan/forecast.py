"""What a study's jobs are predicted to take, and its arrays to hold."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from eegwf.config.study import Study
from eegwf.errors import InputError
from eegwf.plan.costs import KINDS, Calibration, measured_rates, shipped_rates
from eegwf.plan.sizes import Sizes, read_sizes
from eegwf.spectrograms.names import members

# The longest first, since one may end in another.
RULES = sorted({*shipped_rates().start, "import_tables", "import_spectrogram"}, key=len, reverse=True)


class Forecast:
    """Predictions for a study whose results are, or will be, in a folder; empty if its sizes can't be known yet."""

    def __init__(self, study: Study, results: Path):
        self._results = results
        self._known = Calibration(shipped_rates(), measured_rates(results, study.device))
        try:
            self._sizes: Sizes | None = read_sizes(study, results)
        except InputError:
            self._sizes = None

    def seconds(self, rule: str, wildcards: Mapping[str, str]) -> float | None:
        """Seconds of a job; None if nothing is known of it."""
        return None if self._sizes is None else self._known.seconds(_own(rule, wildcards), wildcards, self._sizes)

    def measured(self, rule: str, wildcards: Mapping[str, str]) -> bool:
        """Whether jobs like this one have run in the results folder."""
        return self._known.measured(_own(rule, wildcards), wildcards)

    def disk(self, combinations: Iterable[str]) -> dict[str, int | None]:
        """Bytes on disk of what these combinations read, in the end and at most, and of what they leave behind.

        None for what can't be known yet: before the data are read, and before one combination has run.
        """
        combinations = set(combinations)
        names = {name for one in combinations for name in members(one.split("_")[1])}
        end, peak = (None, None) if self._sizes is None else self._sizes.disk(names)
        own = _bytes_of_a_run(self._results)
        return {"arrays": end, "arrays_peak": peak, "runs": None if own is None else own * len(combinations)}

    @property
    def learnt(self) -> bool:
        """Whether it rests on runs in the results folder."""
        return bool(self._known.own.rate)


def _bytes_of_a_run(results: Path) -> int | None:
    """Mean size of the finished combinations with their state: weights, checkpoints, maps and tables."""
    runs = [path.parent for path in results.glob("*/run.json")]
    files = (path for folder in (*runs, results / "state") for path in folder.rglob("*") if path.is_file())
    total = sum(path.stat().st_size for path in files)
    return round(total / len(runs)) if runs else None


def _own(rule: str, wildcards: Mapping[str, str]) -> str:
    """Name of a rule here: another workflow that uses ours as a module puts its own in front."""
    for name in RULES:
        if rule == name or (rule.endswith(f"_{name}") and KINDS.get(name, "") in {"", *wildcards}):
            return name
    return rule
