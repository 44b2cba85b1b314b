"""Configuration of evaluation and attribution."""

from pydantic import Field

from eegwf.config.section import Section


class Evaluation(Section):
    """Evaluation of the test predictions, declared before the run."""

    primary: str = Field(
        "ensemble",
        pattern=r"^(ensemble|rank[1-9][0-9]?)$",
        description="Member whose scores the report shows first: the ensemble, or one of the retrained ranks.",
    )
    n_bootstrap: int = Field(1000, ge=100, description="Number of bootstrap replicates over patients.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Level of the confidence intervals.")
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


class Explanation(Section):
    """Attribution maps: saliency and Grad-CAM."""

    max_windows_per_class: int = Field(
        200, ge=1, description="Maximum number of test windows of a class and fold that the maps are averaged over."
    )
