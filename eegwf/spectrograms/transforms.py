"""Make spectrogram transforms from their names and configuration entries, and describe their results."""

from typing import Any

from eegwf.config.spectrograms import Grid
from eegwf.errors import InputError
from eegwf.spectrograms.acf import ACF
from eegwf.spectrograms.base import Spectrogram
from eegwf.spectrograms.cwt import CWT
from eegwf.spectrograms.mel import Mel
from eegwf.spectrograms.names import SPECTROGRAMS
from eegwf.spectrograms.stft import STFT
from eegwf.spectrograms.window_file import WindowFile

CLASSES: dict[str, type[Spectrogram]] = {"mel": Mel, "stft": STFT, "cwt": CWT, "acf": ACF}


def make_transform(name: str, grid: Grid, sfreq: float, n_times: int, check_finite: bool = True) -> Spectrogram:
    """Make the transform `name` for windows of `n_times` samples, with their context, at `sfreq` Hz.

    Parameters
    ----------
    name
        "mel", "stft", "cwt" or "acf".
    grid
        Configuration entry `spectrograms.<name>`; the transform cuts its `span` from the windows.
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of a window, with its context.
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


def describe(name: str, grid: Grid, transform: Spectrogram, windows: WindowFile, sha256: str) -> dict[str, Any]:
    """Describe an array of spectrograms, as in the JSON file beside it.

    Parameters
    ----------
    name, grid
        Name of the spectrogram, and its entry in the configuration.
    transform
        Transform that was made of them.
    windows
        Windows that are transformed.
    sha256
        Digest of the array, or of what decides its values.

    Returns
    -------
    dict
        `spectrogram`, `ch_names`, `freqs` (Hz), `times` (s from the onset of the window, negative in its context),
        `sfreq` (Hz), `parameters` and `sha256`.
    """
    return {
        "spectrogram": name,
        "ch_names": list(windows.ch_names),
        "freqs": transform.freqs.tolist(),
        "times": (transform.times - windows.context / windows.sfreq).tolist(),
        "sfreq": windows.sfreq,
        "parameters": grid.model_dump(exclude_none=True),
        "sha256": sha256,
    }
