"""Names of the spectrograms, importable without torch."""

SPECTROGRAMS = ("mel", "stft", "cwt")

CONCAT = ("mel", "cwt", "stft")
"""Spectrograms that `concat` stacks along the channel axis, in this order."""


def members(spectrogram: str) -> tuple[str, ...]:
    """Names of the spectrograms that form a model input: three for `concat`, otherwise the spectrogram itself."""
    return CONCAT if spectrogram == "concat" else (spectrogram,)
