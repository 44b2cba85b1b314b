"""Configuration of the models and of hyperparameter tuning."""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from eegwf.config.renamed import TRAINING as RENAMED_TRAINING
from eegwf.config.section import Section
from eegwf.config.training import TUNABLE


def _number(value: Any) -> Any:
    """Convert numbers given as text: YAML reads 1e-4 as text, Snakemake's command line every number in a list."""
    if isinstance(value, str):
        for kind in (int, float):
            try:
                number = kind(value)
            except ValueError:
                continue
            if math.isfinite(number):
                return number
    return value


Value = Annotated[bool | int | float | str, BeforeValidator(_number)]


class Range(Section):
    """Numbers from `low` to `high`; integers if both ends are integers."""

    low: int | float = Field(description="Lowest value.")
    high: int | float = Field(description="Highest value.")
    log: bool = Field(False, description="Sample uniformly in the logarithm, as is usual for learning rates.")
    step: int | float | None = Field(None, description="Distance between the values, from `low` on; null: any value.")

    @model_validator(mode="after")
    def _possible(self):
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs low above 0 and no step")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"step {self.step} is not above 0")
        return self

    @property
    def last(self) -> int | float:
        """Highest value that is sampled: with a step, `high` may not be reached."""
        if self.step is None:
            return self.high
        return self.low + math.floor((self.high - self.low) / self.step + 1e-9) * self.step

    def holds(self, value: Any) -> bool:
        """Whether the value is in the range."""
        if value is None or isinstance(value, bool | str) or not self.low <= value <= self.high:
            return False
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        step = self.step or (1 if whole else None)
        return step is None or math.isclose((value - self.low) / step, round((value - self.low) / step), abs_tol=1e-9)


class Choices(Section):
    """One of a list of values."""

    choices: list[Value] = Field(min_length=1, description="The values.")

    def holds(self, value: Any) -> bool:
        """Whether the value is one of the choices."""
        return any(type(value) is type(choice) and value == choice for choice in self.choices)


def _kind(value) -> str:
    keys = value if isinstance(value, dict) else getattr(type(value), "model_fields", {})
    return "choices" if "choices" in keys else "range"


# The key `choices` decides the form, so that an error refers to the form that was meant.
Search = Annotated[Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")], Discriminator(_kind)]


class Model(Section):
    """A model: its fixed parameters and its search space."""

    timm: str | None = Field(
        None, min_length=1, description="Network of timm that is used as this model, such as `convnext_atto`."
    )
    fixed: dict[str, Value] = Field(
        {},
        description="Parameters of every trial; a parameter that is also searched is sampled.",
    )
    search: dict[str, Search] = Field(
        {},
        description="Hyperparameters to tune: `{low, high, log, step}` or `{choices: [...]}`.",
    )
    start: list[Literal["defaults"] | dict[str, Value]] = Field(
        [],
        description="Parameter sets of the first trials: `defaults` (of the model and of `training`), or "
        "`{name: value}`. Missing parameters are sampled.",
    )

    def values_of(self, name: str) -> list[Any]:
        """Values of a parameter: the choices, both ends of a range, or that of `fixed`; none if it is not given."""
        if name in self.search:
            entry = self.search[name]
            return list(entry.choices) if isinstance(entry, Choices) else [entry.low, entry.last]
        return [self.fixed[name]] if name in self.fixed else []

    def hyperparameter_values(self) -> dict[str, list[Any]]:
        """Values of the model's own hyperparameters by place: the choices, or both ends of a range."""
        values = {f"search.{name}": self.values_of(name) for name in self.search if name not in TUNABLE}
        fixed = {name: value for name, value in self.fixed.items() if name not in (*TUNABLE, *self.search)}
        return values | {f"fixed.{name}": [value] for name, value in fixed.items()}

    def setting_values(self, name: str, default: Any) -> tuple[tuple[str, ...], list[Any]]:
        """Values that a tunable setting of training has in the trials.

        Parameters
        ----------
        name
            Name of the setting.
        default
            Its value in `training`.

        Returns
        -------
        place
            Keys of this entry that set it, such as `("search", NAME)`; none if `training` does.
        values
            The choices, both ends of a range, or the only value.
        """
        part = "search" if name in self.search else "fixed"
        given = self.values_of(name)
        return ((part, name), given) if given else ((), [default])

    @model_validator(mode="before")
    @classmethod
    def _name_network(cls, given: Any) -> Any:
        """Make the network a fixed parameter, so that it is in every file of the model."""
        if isinstance(given, dict) and given.get("timm") is not None and isinstance(given.get("fixed", {}), dict):
            return {**given, "fixed": {**given.get("fixed", {}), "timm": given["timm"]}}
        return given

    @model_validator(mode="after")
    def _start_inside(self):
        for point in self.start:
            for name, value in point.items() if isinstance(point, dict) else ():
                if name not in self.search:
                    if name in RENAMED_TRAINING:
                        raise ValueError(f"start has {name!r}, which has been renamed; write {RENAMED_TRAINING[name]}")
                    raise ValueError(f"start names {name!r}, which is not searched; add it to search or fixed")
                if not self.search[name].holds(value):
                    raise ValueError(f"start has {name} {value!r}, which is outside its search space")
        return self


class Budget(Section):
    """Limits at which an Optuna study ends; the first one reached counts."""

    n_trials: int | None = Field(8, ge=1, description="Number of complete or pruned trials of a study; null: no limit.")
    n_epochs: int | None = Field(
        None, ge=1, description="No new trial starts once the trials of a study have used this many epochs."
    )
    timeout_minutes: float | None = Field(
        None,
        gt=0,
        description="No new trial starts once the trials of a study have taken this many minutes of training, summed "
        "over its workers.",
    )


class TrialSettings(Budget):
    """Settings that decide the trials of an Optuna study."""

    inner_folds: int = Field(
        1, ge=1, description="Inner validation folds per trial, at most K-1; the value of a trial is their mean."
    )
    sampler: Literal["tpe", "gp", "random"] = Field(
        "tpe", description="Sampler: tree-structured Parzen estimator, Gaussian process, or random search."
    )
    n_startup_trials: int = Field(5, ge=1, description="Number of random trials before the sampler is used.")
    pruner: Literal["median", "asha", "hyperband", "none"] = Field(
        "median",
        description="Pruning by epoch: stop trials below the median of the others at the same inner fold and epoch, or "
        "those that asynchronous successive halving (`asha`) or Hyperband eliminates.",
    )
    pruner_n_startup_trials: int = Field(5, ge=1, description="Complete trials before the median pruner starts.")
    pruner_n_warmup_epochs: int = Field(
        3,
        ge=0,
        description="First epochs of each inner fold, in which a trial is not pruned, at least those of its "
        "learning-rate warm-up; for `asha` and `hyperband` also the minimum resource.",
    )
    wilcoxon_p_threshold: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Pruning by inner fold: stop a trial whose values on the inner folds so far are worse than those "
        "of the best trial by Wilcoxon's signed-rank test at this p value; 0 disables it. At 0.1 the test needs four "
        "folds before the last one.",
    )
    max_killed_workers: int | None = Field(
        3,
        ge=1,
        description="A trial fails if this many workers in a row end in the same epoch of it, killed or by an error, "
        "for example because it needs more memory than there is; SIGTERM and SIGUSR1, as schedulers send them, do not "
        "count. null: no limit.",
    )

    trials_per_gpu: Annotated[int, Field(ge=1, le=32)] | Literal["auto"] = Field(
        1,
        description="Number of trials that a job runs at once on its GPU; `auto`: the number with the highest "
        "throughput, measured at the start. Experimental: not yet run on a GPU by the project.",
    )

    def can_prune_between_folds(self) -> bool:
        """Whether Wilcoxon's test can reach the threshold before the last inner fold, after which nothing is saved."""
        n_compared = self.inner_folds - 1
        return n_compared >= 2 and 0.5**n_compared < self.wilcoxon_p_threshold


class Tuning(TrialSettings):
    """Hyperparameter tuning, on validation patients only."""

    mode: Literal["per_fold", "reserved", "once"] = Field(
        "per_fold",
        description="Which patients tune: `per_fold`, one study for each outer fold, on the other folds; `reserved`, "
        "one study for all folds, on patients who are in no outer fold; `once`, the study of fold 1 for all folds, "
        "which is unbiased for fold 1 only and needs `allow_optimistic`.",
    )
    reserved: float = Field(0.2, gt=0, le=0.5, description="Fraction of the patients that `mode: reserved` reserves.")
    allow_optimistic: bool = Field(False, description="Accept the optimistic bias of `mode: once`.")
    n_workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Number of jobs that share the trials of a study. With more than one, results are not "
        "reproducible byte for byte.",
    )


def n_reserved(n_patients: int, share: float) -> int:
    """Number of patients that `mode: reserved` reserves.

    Parameters
    ----------
    n_patients
        Number of patients of the data set.
    share
        Fraction to reserve.

    Returns
    -------
    int
        Rounded to the nearest integer.
    """
    return round(share * n_patients)
