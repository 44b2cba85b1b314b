"""Configuration of training, shared by the trials of tuning and by retraining."""

from typing import Any, Literal

from pydantic import Field, model_validator

from eegwf.config.section import Section

# Kinds of normalization that need other windows of the same recording; the others need a single window.
RECORDING_NORMALIZATIONS = ("recording", "recording_causal", "aligned")


def tunable(default: Any, **options: Any) -> Any:
    """Field of a setting that a search space may contain.

    Parameters
    ----------
    default
        Default value.
    **options
        Further arguments of `pydantic.Field`.

    Returns
    -------
    pydantic.fields.FieldInfo
        With `tunable` in its metadata.
    """
    return Field(default, json_schema_extra={"tunable": True}, **options)


class Training(Section):
    """Settings of the training function; a search space may contain those marked tunable."""

    frozen_fraction: float = tunable(
        0.0,
        ge=0,
        le=1,
        description="Fraction of the weight tensors before the output layer, in the order of the forward pass, that "
        "keep their initial values (of `init`, of pretrained weights or of the pretraining); 1 trains the output layer "
        "alone.",
    )
    pretrain_epochs: int = tunable(
        0,
        ge=0,
        description="Number of epochs of contrastive pretraining on the windows of the training patients without their "
        "labels, before each training; 0 disables it.",
    )
    pretrain_batch_size: int = tunable(
        128,
        ge=2,
        description="Batch size of the pretraining: windows that are compared with each other. Two views of each pass "
        "through the network.",
    )
    epochs: int = Field(12, ge=1, description="Maximum number of epochs of a training.")
    patience: int = Field(
        4, ge=1, description="Early stopping: number of epochs without a better validation score before training stops."
    )
    batch_size: int = tunable(32, ge=1, description="Batch size: windows per optimizer step.")
    optimizer: Literal["adamw", "adam", "sgd"] = tunable("adamw", description="Optimizer.")
    lr: float = tunable(1e-3, gt=0, description="Peak learning rate.")
    weight_decay: float = tunable(1e-2, ge=0, description="Weight decay, not applied to norms and biases.")
    warmup_fraction: float = tunable(
        0.1,
        ge=0,
        lt=1,
        description="Fraction of `schedule_epochs` over which the learning rate rises linearly to `lr`.",
    )
    schedule: Literal["cosine", "plateau", "constant"] = tunable(
        "cosine",
        description="Learning rate after the warm-up: `cosine` decays it to zero over `schedule_epochs`, or to "
        "1 % if epochs follow; `plateau` halves it after every `plateau_patience` epochs without a better validation "
        "score, `constant` keeps it.",
    )
    schedule_epochs: int | None = Field(
        None,
        ge=1,
        description="Number of epochs over which the warm-up and the cosine schedule extend, at most `epochs`; null: "
        "twice `patience`, so that the learning rate decays before early stopping ends a training.",
    )
    plateau_patience: int = Field(
        3, ge=1, description="Number of epochs without a better validation score after which `plateau` halves the rate."
    )
    label_smoothing: float = tunable(0.0, ge=0, lt=1, description="Label smoothing of the cross-entropy loss.")
    focal_gamma: float = tunable(
        0.0, ge=0, le=10, description="Exponent gamma of the focal loss; 0 gives the cross-entropy loss."
    )
    mixup_alpha: float = tunable(
        0.0, ge=0, le=10, description="Mixup of pairs of windows with weights from Beta(alpha, alpha); 0 disables it."
    )
    mixstyle_alpha: float = tunable(
        0.0,
        ge=0,
        le=10,
        description="MixStyle: the mean and the standard deviation of each channel and frequency of a window are mixed "
        "with those of a window of another patient and the same class, with weights from Beta(alpha, alpha), such as "
        "0.1; 0 disables it.",
    )
    freq_mask: float = tunable(
        0.0,
        ge=0,
        le=1,
        description="Maximum width of the frequency band masked in a window, as a fraction of the axis.",
    )
    time_mask: float = tunable(
        0.0,
        ge=0,
        le=1,
        description="Maximum length of the time interval masked in a window, as a fraction of the axis.",
    )
    time_shift: float = tunable(
        0.0,
        ge=0,
        le=1,
        description="Maximum shift of a window in time, in either direction, as a fraction of its length.",
    )
    channel_dropout: float = tunable(
        0.0, ge=0, lt=1, description="Probability with which each channel of a window is set to zero."
    )
    gain_db: float = tunable(
        0.0, ge=0, le=20, description="Signals: maximum change of the gain of a window, common to its channels, in dB."
    )
    tilt_db: float = tunable(
        0.0,
        ge=0,
        le=20,
        description="Signals: maximum tilt of the spectrum of a window, in dB from 1 Hz to half of the sampling rate.",
    )
    electrode_noise: float = tunable(
        0.0,
        ge=0,
        le=2,
        description="Signals: maximum standard deviation of white noise that is added to a fifth of the channels, "
        "relative to that of the channel.",
    )
    mirror: float = tunable(
        0.0, ge=0, le=1, description="Signals: probability of exchanging the left and right channels of a window."
    )
    rereference: float = tunable(
        0.0,
        ge=0,
        le=1,
        description="Signals: probability of subtracting the average of the channels of a window, or one of them, from "
        "all; not for derivations.",
    )
    time_stretch: float = tunable(
        0.0, ge=0, le=0.5, description="Signals: maximum relative change of the duration of what a window contains."
    )
    background_mix: float = tunable(
        0.0,
        ge=0,
        le=1,
        description="Signals: maximum fraction of another background window of the batch that is added to a window.",
    )
    ema_decay: float = tunable(
        0.0,
        ge=0,
        lt=1,
        description="Decay per step of the exponential moving average of the weights, such as 0.99; the averaged "
        "weights are validated and kept instead of the current ones. 0 disables it.",
    )
    swa_epochs: int = tunable(
        0,
        ge=0,
        le=50,
        description="Stochastic weight averaging: the mean of the weights at the ends of the last `swa_epochs` epochs "
        "is validated and kept instead of the current ones, without `ema_decay`. 0 and 1 disable it.",
    )
    grad_clip_norm: float = Field(1.0, gt=0, description="Gradient clipping: maximum norm of the gradient.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Precision of matrix products on a GPU; `auto`: bfloat16 where the GPU supports it in hardware. "
        "The CPU always uses float32.",
    )
    compile: bool = Field(
        False, description="Compile the network with `torch.compile` on a GPU; compilation takes about a minute."
    )
    cuda_graph: bool = Field(
        False,
        description="Run the training step as a CUDA graph on a GPU, without `compile` and `ema_decay`, if the windows "
        "fit into its memory. Experimental: not yet run on a GPU by the project.",
    )
    class_balance: Literal["sampling", "weights", "undersampling", "none"] = Field(
        "sampling",
        description="Handling of class imbalance: `sampling` draws the classes equally often, `weights` weights the "
        "loss, `undersampling` leaves out windows of the larger classes, `none` does nothing.",
    )
    patient_balance: Literal["none", "equal", "sqrt"] = tunable(
        "none",
        description="How often the patients of a class are drawn in an epoch: `none`, by their number of windows; "
        "`equal`, equally often; `sqrt`, by the square root of their number of windows.",
    )
    normalization: Literal["none", "window", "patients", "level", "recording", "recording_causal", "aligned"] = tunable(
        "patients",
        description="Normalization of the input: `none`; `window`, each channel of each window by its own mean and "
        "standard deviation; `patients`, per channel and frequency, by those of the training patients of the fold; "
        "`level`, without the overall level of each window, then as `patients`; `recording`, per channel and "
        "frequency, by median and robust deviation of the recording; `recording_causal`, the same of its windows so "
        "far; `aligned`, for `raw` alone, by the covariance of the recording's channels.",
    )
    input_clip: float | None = tunable(
        None,
        gt=0,
        description="Limit to whose positive and negative value the normalized input is clipped, against artifacts; "
        "null: no limit. Not with `normalization: none`.",
    )
    monitor: Literal["balanced_accuracy", "macro_f1", "loss"] = Field(
        "balanced_accuracy", description="Validation score that selects the best epoch, and that tuning optimizes."
    )

    @model_validator(mode="after")
    def _one_average(self):
        if self.ema_decay and self.swa_epochs > 1:
            raise ValueError(
                f"swa_epochs {self.swa_epochs} and ema_decay {self.ema_decay:g} both average the weights; write 0 for "
                "one of them"
            )
        return self


def is_tunable(field: Any) -> bool:
    """Whether a search space may contain this field."""
    return bool((field.json_schema_extra or {}).get("tunable"))


TUNABLE = tuple(name for name, field in Training.model_fields.items() if is_tunable(field))


class StudyTraining(Training):
    """Settings of the training function, and the weights from which every training of a study starts."""

    init: str | None = Field(
        None,
        min_length=1,
        description="Fine-tuning: source of the initial weights of every training, a run with final models, such as "
        "`results/vit_mel_2class`, or a bundle of one; null: random weights. Patients of the source are refused.",
    )
    init_same_ids: Literal["one_person", "different_persons"] = Field(
        "one_person",
        description="Meaning of an id that patients of this study and of `init` both have: `one_person`, which stops "
        "the run; `different_persons`, for ids that were assigned independently. Samples and recordings are compared "
        "in either case.",
    )


class Retrain(Section):
    """Retraining of the best parameter sets."""

    n_best: int = Field(5, ge=1, le=50, description="Number of best distinct parameter sets that are retrained.")
    n_seeds: int = Field(
        1,
        ge=1,
        le=50,
        description="Number of random seeds with which each of them is retrained; the ensemble contains all of these "
        "models (deep ensemble).",
    )
    epochs: int | None = Field(
        None,
        ge=1,
        description="Maximum number of epochs; null: that of `training`. `training.schedule_epochs` stays.",
    )
    ranks_per_gpu: int = Field(
        1,
        ge=1,
        le=50,
        description="Number of parameter sets that a job retrains at once on its GPU. Experimental: not yet run on a "
        "GPU by the project.",
    )

    @property
    def ranks(self) -> range:
        """Ranks of an outer fold, from 1: each parameter set with each seed, all seeds of the best set first."""
        return range(1, self.n_best * self.n_seeds + 1)

    def set_and_seed(self, rank: int) -> tuple[int, int]:
        """Number of the parameter set and number of the seed of a rank, both from 1."""
        position, seed = divmod(rank - 1, self.n_seeds)
        return position + 1, seed + 1
