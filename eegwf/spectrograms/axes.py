"""Time axis of spectrograms: equal cells, frames centered on the cells, and mirrored samples beyond the edges.

Time is measured from the first sample of the window. Sample k is at k / sfreq and represents the interval of one
sampling period centered on it. A window is divided into `n_frames` equal cells, which need not contain a whole number
of samples. All spectrograms have the same `times`, the centers of the cells.
"""

import numpy as np


def cell_centers(n_times: int, n_frames: int, sfreq: float) -> np.ndarray:
    """Centers of the cells of a window.

    Parameters
    ----------
    n_times
        Number of samples of a window.
    n_frames
        Number of cells.
    sfreq
        Sampling rate in Hz.

    Returns
    -------
    numpy.ndarray
        Seconds from the first sample, shape (n_frames,).
    """
    return ((np.arange(n_frames) + 0.5) * n_times / n_frames - 0.5) / sfreq


def central_samples(name: str, sfreq: float, n_times: int, span: float | None) -> tuple[int, int]:
    """Samples in the middle of a signal that are transformed.

    Parameters
    ----------
    name
        Name of the spectrogram, for errors.
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of the signal.
    span
        Seconds that are transformed; None for all.

    Returns
    -------
    first, count : int
        Index of the first sample, and number of samples. Where they can't be exactly in the middle, they begin half a
        sample before it.

    Raises
    ------
    ValueError
        If the span is longer than the signal by more than the rounding of its parts to samples.
    """
    if span is None or not sfreq > 0:  # `check_axes` refuses a wrong sampling rate
        return 0, n_times
    count = round(span * sfreq)
    if count > n_times + 2:
        raise ValueError(
            f"{name}: span is {span:g} s, but a window with its context has {n_times / sfreq:g} s; shorten it, or "
            "raise windows.context"
        )
    count = min(count, n_times)
    return (n_times - count) // 2, count


def frame_starts(n_times: int, n_frames: int, length: int) -> np.ndarray:
    """First samples of the frames that are centered on the cells.

    The distance between cells is usually not a whole number of samples. Every frame is rounded to the nearest sample
    by itself, so that the center of the frame (sample `length / 2`, the peak of a periodic Hann window) is at most
    half a sample from the center of its cell and rounding errors do not accumulate.

    Parameters
    ----------
    n_times
        Number of samples of a window.
    n_frames
        Number of frames.
    length
        Samples of a frame.

    Returns
    -------
    numpy.ndarray
        Shape (n_frames,); negative where a frame begins before the window.
    """
    cells = 2 * np.arange(n_frames, dtype=np.int64) + 1
    return (cells * n_times - length * n_frames) // (2 * n_frames)


def mirror(positions: np.ndarray, n_times: int) -> np.ndarray:
    """Indices of the samples at positions of a window that is continued beyond its edges by its mirror image.

    The sample at the edge is not repeated (mode "reflect" of `numpy.pad`).

    Parameters
    ----------
    positions
        Integers of any shape; negative before the window, `n_times` and more after it.
    n_times
        Number of samples of the window.

    Returns
    -------
    numpy.ndarray
        Indices from 0 to `n_times` - 1, of the shape of `positions`.
    """
    if n_times == 1:
        return np.zeros_like(positions)
    folded = np.abs(positions) % (2 * n_times - 2)
    return np.minimum(folded, 2 * n_times - 2 - folded)


def window_samples(
    name: str,
    window: float,
    sfreq: float,
    n_times: int,
    f_min: float,
    kind: str = "Hann window",
    periods: float = 1.0,
) -> int:
    """Length in samples of a frame.

    Parameters
    ----------
    name
        Name of the spectrogram, for errors.
    window
        Length of the frame in seconds.
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of the signal that is transformed.
    f_min
        Lowest frequency in Hz.
    kind
        What the frame is called in errors.
    periods
        Number of periods of `f_min` that the frame must contain.

    Returns
    -------
    int
        The length rounded to samples.

    Raises
    ------
    ValueError
        If the frame has fewer than 4 samples, is longer than the `n_times` samples, or is shorter than `periods` of
        `f_min` (0 Hz, the mean of a frame, has no period and is always accepted).
    """
    if not (window > 0 and np.isfinite(window)):
        raise ValueError(f"{name}: window is {window}; expected a length in seconds above 0")
    length = round(window * sfreq)
    if length < 4:
        raise ValueError(
            f"{name}: a {kind} of {window:g} s has {length} samples at {sfreq:g} Hz, but 4 or more are needed; "
            f"choose window: {4 / sfreq:.3g} or longer"
        )
    if length > n_times:
        raise ValueError(
            f"{name}: the {kind} of {window:g} s is longer than the {n_times / sfreq:g} s to transform; "
            f"choose window: {n_times / sfreq:g} or shorter"
        )
    if f_min * (length + 0.5) / sfreq < periods and f_min > 0:
        needed = _ceil(periods / f_min)
        choices = [f"window: {needed:g} or longer"] if needed <= n_times / sfreq else []
        choices.append(f"f_min: {_ceil(periods * sfreq / length):g} or higher")
        count = "one period" if periods == 1 else f"{periods:g} periods"
        raise ValueError(
            f"{name}: a {kind} of {window:g} s is shorter than {count} of f_min: {f_min:g} Hz; choose "
            + ", or ".join(choices)
        )
    return length


def _ceil(value: float) -> float:
    """Round a positive number up to three significant digits."""
    step = 10.0 ** (np.floor(np.log10(value)) - 2)
    return float(f"{np.ceil(value / step - 1e-9) * step:.3g}")


def count_frames(name: str, sfreq: float, n_times: int, n_frames: int | None, hop: float | None) -> int:
    """Number of frames, from `n_frames` or from `hop`; 100 if neither is given.

    Parameters
    ----------
    name
        Name of the spectrogram, for errors.
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of a window.
    n_frames
        Number of frames, or None.
    hop
        Distance between frames in seconds, or None.

    Returns
    -------
    int
        Number of frames.

    Raises
    ------
    ValueError
        If both are given, or if the window is not a multiple of `hop`; the message lists the nearest values that
        divide the window.
    """
    if hop is None or not sfreq > 0:  # `check_axes` refuses a wrong sampling rate
        return 100 if n_frames is None else n_frames
    if n_frames is not None:
        raise ValueError(f"{name}: n_frames {n_frames} and hop {hop:g} s are both set; remove one of them")
    if not (hop > 0 and np.isfinite(hop)):
        raise ValueError(f"{name}: hop is {hop}; expected a distance in seconds above 0")
    seconds = n_times / sfreq
    count = seconds / hop
    if abs(count - round(count)) > 1e-6 * count:
        choices = [n for n in (int(np.ceil(count)), int(count)) if n > 0]
        raise ValueError(
            f"{name}: a window of {seconds:g} s is not a multiple of hop: {hop:g} s; choose "
            + " or ".join(f"n_frames: {n} (hop {seconds / n:.6g} s)" for n in choices)
        )
    return round(count)


def check_axes(name: str, sfreq: float, n_times: int, n_freqs: int, n_frames: int, f_min: float, f_max: float) -> None:
    """Check the axes of a spectrogram.

    Parameters
    ----------
    name
        Name of the spectrogram, for errors.
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of a window.
    n_freqs, n_frames
        Rows and columns of the spectrogram.
    f_min, f_max
        Lowest and highest frequency in Hz.

    Raises
    ------
    ValueError
        If a value is out of range; the message has one line, with the value and the values that are possible.
    """
    if not sfreq > 0 or not np.isfinite(sfreq):
        raise ValueError(f"{name}: sfreq is {sfreq} Hz; expected a sampling rate above 0")
    for key, value in (("n_times", n_times), ("n_freqs", n_freqs), ("n_frames", n_frames)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name}: {key} is {value!r}; expected an integer above 0")
    if n_frames > n_times:
        raise ValueError(f"{name}: n_frames is {n_frames}, more than the {n_times} samples of a window")
    if not 0 <= f_min < f_max:
        raise ValueError(f"{name}: f_min is {f_min:g} Hz and f_max {f_max:g} Hz; expected 0 <= f_min < f_max")
    if f_max > sfreq / 2:
        raise ValueError(
            f"{name}: f_max {f_max:g} Hz is above half of the sampling rate {sfreq:g} Hz; "
            f"choose f_max: {sfreq / 2:g} or lower"
        )
