"""Former names of keys of the configuration: a former key is refused, and the error names the present one."""

TRAINING = {
    "balance": "class_balance",
    "focal": "focal_gamma",
    "mixup": "mixup_alpha",
    "ema": "ema_decay",
    "clip": "grad_clip_norm",
    "warmup": "warmup_fraction",
    "plateau": "plateau_patience",
    "mask_freqs": "freq_mask",
    "mask_times": "time_mask",
    "shift_times": "time_shift",
    "drop_channels": "channel_dropout",
    "normalisation": "normalization",
}
SPECTROGRAM = {"n_times": "n_frames"}
RENAMED: dict[tuple[str, ...], dict[str, str]] = {
    ("training",): TRAINING,
    ("models", "*", "fixed"): TRAINING,
    ("models", "*", "search"): TRAINING,
    ("tuning",): {
        "trials": "n_trials",
        "epochs": "n_epochs",
        "minutes": "timeout_minutes",
        "workers": "n_workers",
        "startup": "n_startup_trials",
        "pruning": "pruner",
        "pruning_startup": "pruner_n_startup_trials",
        "pruning_warmup": "pruner_n_warmup_epochs",
        "pruning_folds": "wilcoxon_p_threshold",
    },
    ("retrain",): {"top": "n_best"},
    ("evaluation",): {"bootstrap": "n_bootstrap"},
    ("explanation",): {"windows": "max_windows_per_class"},
    ("windows",): {"share": "min_overlap"},
    ("spectrograms", "mel"): SPECTROGRAM,
    ("spectrograms", "stft"): SPECTROGRAM,
    ("spectrograms", "cwt"): SPECTROGRAM,
}


def present_name(keys: tuple[str, ...]) -> str | None:
    """Present name of a key.

    Parameters
    ----------
    keys
        The key with the keys of the sections that contain it, such as `("training", "clip")`.

    Returns
    -------
    str or None
        The whole present key, such as `training.grad_clip_norm`; None if the key is no former one.
    """
    *sections, key = keys
    for pattern, names in RENAMED.items():
        matches = len(pattern) == len(sections) and all(
            part in ("*", name) for part, name in zip(pattern, sections, strict=True)
        )
        if matches and key in names:
            return ".".join([*sections, names[key]])
    return None
