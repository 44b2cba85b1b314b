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


class Choices(Section):
    """One of a list of values."""

    choices: list[Value] = Field(min_length=1, description="The values.")


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

    @model_validator(mode="before")
    @classmethod
    def _name_network(cls, given: Any) -> Any:
        """The network is a parameter like others from here on, so that it stands in every file of the model."""
        if isinstance(given, dict) and given.get("timm") is not None and isinstance(given.get("fixed", {}), dict):
            return {**given, "fixed": {**given.get("fixed", {}), "timm": given["timm"]}}
        return given


class Tuning(Section):
    """The search for good parameters, on validation patients only."""

    trials: int = Field(8, ge=1, description="Trials of each study that end well or are pruned.")
    inner_folds: int = Field(1, ge=1, description="Inner validation folds per trial, at most K-1.")
    startup: int = Field(5, ge=1, description="Random trials before TPE takes over.")
    pruning: Literal["median", "none"] = Field("median", description="Stop trials that fall behind the median.")
    pruning_warmup: int = Field(3, ge=0, description="Epochs of a trial in which it is not pruned.")
