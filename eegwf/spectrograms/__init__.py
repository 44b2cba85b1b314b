"""From windows to spectrograms: mel, STFT and CWT on one grid of frequencies and times."""
