"""Configuration of attribution."""

from typing import Literal

from pydantic import Field

from eegwf.config.section import Section

MethodName = Literal[
    "saliency",
    "input_x_gradient",
    "smoothgrad",
    "integrated_gradients",
    "shapley_gradients",
    "deeplift",
    "gradcam",
    "hirescam",
    "attention_rollout",
    "gradient_attention",
    "attention_weights",
    "occlusion",
]


class Explanation(Section):
    """Attribution maps and their evidence."""

    methods: list[MethodName] | None = Field(
        None,
        min_length=1,
        description="Attribution methods, such as `[integrated_gradients, occlusion]`; null: all. Those that are not "
        "valid for a model are left out, with the reason in the report.",
    )
    max_windows_per_class: int = Field(
        70, ge=1, description="Maximum number of test windows of a class and fold that are explained."
    )
    max_similarity_windows_per_class: int = Field(
        5,
        ge=1,
        description="Of these, the maximum number whose maps are compared with those of other models: with random "
        "weights, trained on permuted labels, of the other ranks and of the other classes.",
    )
    n_baselines: int = Field(
        4,
        ge=1,
        le=100,
        description="Number of background windows of training patients that are the baselines of integrated gradients, "
        "DeepLift, input x gradient and occlusion.",
    )
    n_steps: int = Field(
        8, ge=2, le=1000, description="Number of points between each baseline and a window for integrated gradients."
    )
    n_samples: int = Field(
        16,
        ge=2,
        le=1000,
        description="Number of noisy copies of a window for SmoothGrad, and of its mixtures with each baseline for "
        "Shapley gradients.",
    )
    noise: float = Field(
        0.1,
        gt=0,
        le=10,
        description="Standard deviation of the noise of SmoothGrad, as a fraction of that of the normalized window.",
    )
    cell_seconds: float = Field(
        1.0,
        gt=0,
        le=600,
        description="Duration of a cell in seconds. A cell is one channel, one clinical band and this duration; "
        "occlusion replaces one after another, and deletion and insertion replace them in the order of a map.",
    )
    label_randomization: bool = Field(
        True, description="Whether to train a model on permuted labels in each fold, whose maps are compared."
    )
