"""Configuration of the models and of their tuning."""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from eegwf.config.section import Section


def _number(value: Any) -> Any:
    """Numbers that arrive as text: YAML takes 1e-4 for text, and Snakemake's command line every number in a list."""
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
    """Numbers from `low` to `high`; whole numbers if both ends are."""

    low: int | float = Field(description="Lowest value.")
    high: int | float = Field(description="Highest value.")
    log: bool = Field(False, description="Draw evenly in the logarithm, as learning rates want it.")
    step: int | float | None = Field(None, description="Distance of the values from `low` on; null: any value.")

    @model_validator(mode="after")
    def _possible(self):
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs low above 0 and no step")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"step {self.step} is not above 0")
        return self

    def holds(self, value: Any) -> bool:
        """Whether the value may be drawn."""
        if isinstance(value, bool | str) or not self.low <= value <= self.high:
            return False
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        step = self.step or (1 if whole else None)
        return step is None or math.isclose((value - self.low) / step, round((value - self.low) / step), abs_tol=1e-9)


class Choices(Section):
    """One of a list of values."""

    choices: list[Value] = Field(min_length=1, description="The values.")

    def holds(self, value: Any) -> bool:
        """Whether the value may be drawn."""
        return any(type(value) is type(choice) and value == choice for choice in self.choices)


def _kind(value) -> str:
    keys = value if isinstance(value, dict) else type(value).model_fields
    return "choices" if "choices" in keys else "range"


# Told apart by the key `choices`, so that an error speaks of the form that was meant.
Search = Annotated[Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")], Discriminator(_kind)]


class Model(Section):
    """A model of the matrix: its fixed parameters and its search space."""

    timm: str | None = Field(
        None, min_length=1, description="Network of timm that makes this a model, such as `convnext_atto`."
    )
    fixed: dict[str, Value] = Field(
        {}, description="Parameters that every trial has; one that is searched too is drawn."
    )
    search: dict[str, Search] = Field(
        {}, description="Parameters to tune: `{low, high, log, step}` or `{choices: [...]}`."
    )
    start: list[Literal["defaults"] | dict[str, Value]] = Field(
        [],
        description="Sets that the first trials try: `defaults` (of the model and of `training`), or `{name: value}`. "
        "What a set leaves out is drawn.",
    )

    @model_validator(mode="before")
    @classmethod
    def _name_network(cls, given: Any) -> Any:
        """The network is a parameter like others from here on, so that it stands in every file of the model."""
        if isinstance(given, dict) and given.get("timm") is not None and isinstance(given.get("fixed", {}), dict):
            return {**given, "fixed": {**given.get("fixed", {}), "timm": given["timm"]}}
        return given

    @model_validator(mode="after")
    def _start_inside(self):
        for point in self.start:
            for name, value in point.items() if isinstance(point, dict) else ():
                if name not in self.search:
                    raise ValueError(f"start names {name!r}, which is not searched; put it into search or fixed")
                if not self.search[name].holds(value):
                    raise ValueError(f"start has {name} {value!r}, which its search does not hold")
        return self


class Tuning(Section):
    """The search for good parameters, on validation patients only."""

    mode: Literal["per_fold", "reserved", "once"] = Field(
        "per_fold",
        description="Who tunes: for each outer fold a study on the other folds; patients `reserved` for it, who are in "
        "no outer fold, one study for all; or `once`, fold 1's study for all folds, which is honest for fold 1 alone "
        "and needs `allow_optimistic`.",
    )
    reserved: float = Field(0.2, gt=0, le=0.5, description="Share of the patients that `mode: reserved` takes.")
    allow_optimistic: bool = Field(False, description="That you know what `mode: once` does to the scores.")
    workers: int = Field(
        1, ge=1, le=64, description="Jobs that share the trials of a study. Several are not repeatable to the byte."
    )
    trials: int | None = Field(
        8, ge=1, description="Trials of each study that end well or are pruned; null: any number."
    )
    epochs: int | None = Field(None, ge=1, description="No new trial after as many epochs in a study.")
    minutes: float | None = Field(
        None, gt=0, description="No new trial after as many minutes of training in a study, its workers added up."
    )
    inner_folds: int = Field(
        1, ge=1, description="Inner validation folds per trial, at most K-1; a trial's value is their mean."
    )
    sampler: Literal["tpe", "gp", "random"] = Field(
        "tpe", description="Who proposes: tree-structured Parzen estimators, a Gaussian process, or chance."
    )
    startup: int = Field(5, ge=1, description="Random trials before the sampler takes over.")
    pruning: Literal["median", "hyperband", "none"] = Field(
        "median",
        description="Stop trials, by their epochs, that fall behind the median of the others, or that lose a round of "
        "Hyperband.",
    )
    pruning_startup: int = Field(5, ge=1, description="Complete trials before their median prunes others.")
    pruning_warmup: int = Field(
        3, ge=0, description="Epochs of a trial in which it is not pruned; Hyperband's least number, from 1 on."
    )
    pruning_folds: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="Stop trials between inner folds that Wilcoxon's test finds worse than the best at this level; "
        "0: never. It can't before the fourth fold at 0.1.",
    )


def n_reserved(n_patients: int, share: float) -> int:
    """How many of the patients `mode: reserved` takes."""
    return round(share * n_patients)
