"""Spectrograms of windows: mel, STFT and CWT on a common grid of frequencies and times."""
