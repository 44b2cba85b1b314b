"""Spectrograms of windows on a common grid of frequencies and times: mel, STFT, CWT and autocorrelation."""
