"""Configuration of evaluation."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from eegwf.config.section import Section


class OperatingPointSettings(Section):
    """Choice of the threshold, smoothing and minimum duration of detections, on the validation patients."""

    target: Literal["false_alarms_per_day", "sensitivity", "f1"] = Field(
        "false_alarms_per_day",
        description="`false_alarms_per_day`: the largest sensitivity for events with at most `value` false alarms in "
        "24 h; `sensitivity`: the fewest false alarms with a sensitivity of at least `value`; `f1`: the largest F1 of "
        "events.",
    )
    value: float = Field(24.0, gt=0, description="Value of the target; without effect with `f1`.")
    smoothing: list[Annotated[float, Field(ge=0, le=600)]] = Field(
        [0, 20, 60],
        min_length=1,
        description="Seconds over which the probabilities are averaged; the values that are tried.",
    )
    min_duration: list[Annotated[float, Field(ge=0, le=600)]] = Field(
        [0, 10, 20], min_length=1, description="Minimum duration of a detection in seconds; the values that are tried."
    )

    @model_validator(mode="after")
    def _possible(self):
        if self.target == "sensitivity" and self.value > 1:
            raise ValueError(f"value is {self.value:g}; a sensitivity is at most 1, such as 0.8")
        return self


# Edges of the bands of a column of numbers. Strict, since `true` would be the number 1.
Edges = Annotated[list[Annotated[float, Field(strict=True)]], Field(min_length=1)]


class Evaluation(Section):
    """Evaluation of the test predictions, declared before the run."""

    primary: str = Field(
        "ensemble",
        pattern=r"^(ensemble|rank[1-9][0-9]?)$",
        description="Member whose scores the report shows first: the ensemble, or one of the retrained ranks.",
    )
    operating_point: OperatingPointSettings = Field(
        OperatingPointSettings(), description="Detector whose events are scored."
    )
    interval: Literal["jackknife", "percentile", "bca"] = Field(
        "jackknife",
        description="Confidence intervals: `jackknife`, Student's t on the logit scale with the standard error of the "
        "patient jackknife; `percentile` and `bca` (bias-corrected and accelerated), from a bootstrap over patients. "
        "With few patients of a class, `jackknife` has the best coverage.",
    )
    n_bootstrap: int = Field(
        1000, ge=100, description="Number of bootstrap replicates over patients, for `percentile` and `bca`."
    )
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Level of the confidence intervals.")
    specificity: float = Field(
        0.95, gt=0, lt=1, description="Specificity at which the sensitivity of seizure detection is reported."
    )
    seeds: int = Field(
        1,
        ge=1,
        le=50,
        description="Number of random seeds with which rank 1 is retrained: from 2 on, `metrics.json` and the report "
        "have the spread of its scores between the seeds. Only the first training is a member and is explained. "
        "Without effect on models whose training draws no random numbers.",
    )
    n_permutations: int = Field(
        1000, ge=0, description="Number of permutations of the test by patient; 0: no test and no p value."
    )
    calibration_bins: int = Field(
        15, ge=2, le=100, description="Number of bins of the calibration error and of the reliability diagram."
    )
    conformal_alpha: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Level of the conformal prediction sets: a set contains the class of a window with probability "
        "1 - `conformal_alpha`. With fewer than 1 / `conformal_alpha` - 1 validation patients in a fold, the sets "
        "contain all classes.",
    )
    subgroups: dict[str, Edges | None] | None = Field(
        None,
        description="Columns of `participants.tsv` by which the patients are divided into groups, each with its "
        "scores: `sex: null`, a group for each text; `age: [18, 65]`, bands below 18, from 18 to below 65, and from "
        "65. null: `group` of the synthetic data set, and no column of others.",
    )

    @field_validator("subgroups")
    @classmethod
    def _groups_of_several_patients(cls, value: dict[str, list[float] | None] | None):
        for column, edges in (value or {}).items():
            if column.strip() != column or not column or column == "participant_id":
                raise ValueError(f"has {column!r}, expected a column of participants.tsv such as sex")
            if edges is None and column.casefold() == "age":
                raise ValueError(f"{column}: null would make a group of each age; write edges, such as [18, 65]")
            if any(low >= high for low, high in pairwise(edges or [])):
                raise ValueError(f"{column}: the edges {edges} are not in ascending order")
        return value
