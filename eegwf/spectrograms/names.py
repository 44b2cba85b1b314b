"""Names of the spectrograms, importable without torch."""

POWER_SPECTROGRAMS = ("mel", "stft", "cwt")
"""Spectrograms of power in dB, whose rows are frequencies of the signal."""

SPECTROGRAMS = (*POWER_SPECTROGRAMS, "acf")
"""All of them; `acf` is a correlation, without unit, and its rows are repetition rates."""
