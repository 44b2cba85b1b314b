"""The names of the spectrograms, for those who must not import torch."""

SPECTROGRAMS = ("mel", "stft", "cwt")

CONCAT = ("mel", "cwt", "stft")
"""What `concat` stacks on the channel axis, in this order."""


def members(spectrogram: str) -> tuple[str, ...]:
    """Name the spectrograms that an input is made of: three for `concat`, otherwise itself."""
    return CONCAT if spectrogram == "concat" else (spectrogram,)
