"""Configuration of training: what a trial of the tuning and a retraining have in common."""

from typing import Literal

from pydantic import Field

from eegwf.config.section import Section


class Training(Section):
    """Settings of the training function; those marked tunable may stand in a search space."""

    epochs: int = Field(12, ge=1, description="Most epochs of a training.")
    patience: int = Field(4, ge=1, description="Epochs without a better validation score before it stops.")
    batch_size: int = Field(32, ge=1, description="Windows per step. Tunable.")
    optimizer: Literal["adamw", "adam", "sgd"] = Field("adamw", description="Optimizer. Tunable.")
    lr: float = Field(1e-3, gt=0, description="Highest learning rate. Tunable.")
    weight_decay: float = Field(1e-2, ge=0, description="Weight decay, not on norms and biases. Tunable.")
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the steps in which the learning rate rises. Tunable.")
    schedule: Literal["cosine", "plateau", "constant"] = Field(
        "cosine",
        description="Learning rate after the warm-up: down to zero in a cosine, down by half after every `plateau` "
        "epochs without a better validation score, or as it is. Tunable.",
    )
    plateau: int = Field(3, ge=1, description="Epochs without a better score that halve the rate of that schedule.")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Label smoothing of the cross-entropy. Tunable.")
    focal: float = Field(
        0.0, ge=0, le=10, description="Exponent of the focal loss; 0 is the plain cross-entropy. Tunable."
    )
    mixup: float = Field(
        0.0, ge=0, le=10, description="Mix pairs of windows with weights from Beta(mixup, mixup); 0 for none. Tunable."
    )
    mask_freqs: float = Field(
        0.0, ge=0, le=1, description="Widest band of frequencies blanked in a window, share of the axis. Tunable."
    )
    mask_times: float = Field(
        0.0, ge=0, le=1, description="Longest stretch of time blanked in a window, share of the axis. Tunable."
    )
    shift_times: float = Field(
        0.0, ge=0, le=1, description="Farthest that a window is shifted in time, either way, share of it. Tunable."
    )
    drop_channels: float = Field(
        0.0, ge=0, lt=1, description="Probability with which each channel is blanked in a window. Tunable."
    )
    ema: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Decay of a moving average of the weights by steps, such as 0.99; validated and kept in place of "
        "the last weights. 0 for none. Tunable.",
    )
    clip: float = Field(1.0, gt=0, description="Largest norm of the gradient.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Of a GPU's matrix products; auto: bfloat16 where it has units for it. The CPU has float32."
    )
    compile: bool = Field(
        False, description="Compile the network by torch.compile, on a GPU: worth its minute for long trainings alone."
    )
    balance: Literal["sampling", "weights", "undersampling", "none"] = Field(
        "sampling",
        description="Class imbalance: draw classes equally often, weigh the loss, leave out windows of the "
        "larger classes, or nothing.",
    )
    normalisation: Literal["none", "window", "patients"] = Field(
        "patients",
        description="Of the input: none, each window by itself, or per channel and frequency from the training "
        "patients of the fold.",
    )
    monitor: Literal["balanced_accuracy", "macro_f1", "loss"] = Field(
        "balanced_accuracy", description="Validation score that chooses the epoch, and that tuning raises."
    )


TUNABLE = (
    *("batch_size", "optimizer", "lr", "weight_decay", "warmup", "schedule", "label_smoothing", "focal", "mixup"),
    *("mask_freqs", "mask_times", "shift_times", "drop_channels", "ema"),
)


class Retrain(Section):
    """Retraining of the best parameter sets."""

    top: int = Field(5, ge=1, le=50, description="How many of the best distinct parameter sets are retrained.")
    epochs: int | None = Field(None, ge=1, description="Most epochs; null: those of `training`.")
