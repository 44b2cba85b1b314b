"""Configuration of evaluation and attribution."""

from typing import Literal

from pydantic import Field

from eegwf.config.section import Section


class Evaluation(Section):
    """Evaluation of the test predictions, declared before the run."""

    primary: str = Field(
        "ensemble",
        pattern=r"^(ensemble|rank[1-9][0-9]?)$",
        description="Member whose scores the report shows first: the ensemble, or one of the retrained ranks.",
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
    n_permutations: int = Field(
        1000, ge=0, description="Number of permutations of the test by patient; 0: no test and no p value."
    )


class Explanation(Section):
    """Attribution maps: saliency and Grad-CAM."""

    max_windows_per_class: int = Field(
        200, ge=1, description="Maximum number of test windows of a class and fold that the maps are averaged over."
    )
