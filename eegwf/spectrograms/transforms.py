"""Spectrograms by name, with the parameters of the configuration."""

from eegwf.config.spectrograms import Grid
from eegwf.errors import InputError
from eegwf.spectrograms.base import Spectrogram
from eegwf.spectrograms.cwt import CWT
from eegwf.spectrograms.mel import Mel
from eegwf.spectrograms.names import SPECTROGRAMS
from eegwf.spectrograms.stft import STFT

CLASSES = {"mel": Mel, "stft": STFT, "cwt": CWT}


def make_transform(name: str, grid: Grid, sfreq: float, n_times: int, check_finite: bool = True) -> Spectrogram:
    """Make the transform `name` for windows of `n_times` samples at `sfreq` Hz.

    Parameters
    ----------
    name
        "mel", "stft" or "cwt".
    grid
        The entry of that name in the configuration's `spectrograms`.
    sfreq
        Sampling rate in Hz.
    n_times
        Samples of a window.
    check_finite
        Refuse NaN and infinity in what is transformed.

    Returns
    -------
    torch.nn.Module
        (batch, n_chans, n_times) in microvolts to (batch, n_chans, grid.n_freqs, grid.n_times) in dB.

    Raises
    ------
    InputError
        If there is no such transform, or if its parameters don't fit the windows.
    """
    if name not in CLASSES:
        raise InputError(f"spectrogram {name!r} is unknown; expected one of {', '.join(SPECTROGRAMS)}")
    parameters = grid.model_dump()
    n_frames = parameters.pop("n_times")
    try:
        return CLASSES[name](sfreq=sfreq, n_times=n_times, n_frames=n_frames, check_finite=check_finite, **parameters)
    except ValueError as error:
        raise InputError(f"config spectrograms.{error}") from None
