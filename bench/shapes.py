"""Shape of the windows and spectrograms that the benchmarks use."""

SFREQ = 256.0
"""Sampling rate of a window in Hz."""
N_CHANS, N_TIMES = 20, 5120
"""Channels of a window, and samples of a channel (20 s)."""
N_FREQS, N_FRAMES = 100, 100
"""Rows and columns of a spectrogram."""
WINDOW_SECONDS = N_TIMES / SFREQ
