"""Make spectrogram transforms from their names and configuration entries."""

from eegwf.config.spectrograms import Grid
from eegwf.errors import InputError
from eegwf.spectrograms.acf import ACF
from eegwf.spectrograms.base import Spectrogram
from eegwf.spectrograms.cwt import CWT
from eegwf.spectrograms.mel import Mel
from eegwf.spectrograms.names import SPECTROGRAMS
from eegwf.spectrograms.stft import STFT

CLASSES: dict[str, type[Spectrogram]] = {"mel": Mel, "stft": STFT, "cwt": CWT, "acf": ACF}


def make_transform(name: str, grid: Grid, sfreq: float, n_times: int, check_finite: bool = True) -> Spectrogram:
    """Make the transform `name` for windows of `n_times` samples at `sfreq` Hz.

    Parameters
    ----------
    name
        "mel", "stft", "cwt" or "acf".
    grid
        Configuration entry `spectrograms.<name>`.
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of a window.
    check_finite
        Whether the transform refuses NaN and infinity.

    Returns
    -------
    Spectrogram
        Module that transforms (batch, n_chans, n_times) in microvolts to (batch, n_chans, grid.n_freqs,
        grid.n_frames): dB, or correlations for "acf".

    Raises
    ------
    InputError
        If there is no such transform, or if its parameters do not fit the windows.
    """
    if name not in CLASSES:
        raise InputError(f"spectrogram {name!r} is unknown; expected one of {', '.join(SPECTROGRAMS)}")
    try:
        return CLASSES[name](sfreq=sfreq, n_times=n_times, check_finite=check_finite, **grid.model_dump())
    except ValueError as error:
        raise InputError(f"config spectrograms.{error}") from None
