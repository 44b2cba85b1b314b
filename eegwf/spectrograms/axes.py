"""The axes of spectrograms: equal cells of time, frames centred on them, the edges' mirror images.

Time is counted from the first sample of the window: sample k is at k / sfreq, and stands for the span of
one sample around it. The window is cut into `n_frames` equal cells, which need not hold a whole number of
samples. All spectrograms have the same `times`, the centres of the cells.
"""

import numpy as np


def cell_centres(n_times: int, n_frames: int, sfreq: float) -> np.ndarray:
    """Centres in seconds, shape (n_frames,), of the equal cells of a window of `n_times` samples."""
    return ((np.arange(n_frames) + 0.5) * n_times / n_frames - 0.5) / sfreq


def frame_starts(n_times: int, n_frames: int, length: int) -> np.ndarray:
    """First sample, shape (n_frames,), of frames of `length` samples centred on the cells.

    The distance between cells is seldom a whole number of samples: every frame starts at the sample that
    brings its centre (sample `length / 2`, the peak of a periodic Hann window) nearest to the centre of its
    cell, at most half a sample away, so that errors don't add up. Starts before 0 reach over the edge.
    """
    cells = 2 * np.arange(n_frames, dtype=np.int64) + 1
    return (cells * n_times - length * n_frames) // (2 * n_frames)


def mirror(positions: np.ndarray, n_times: int) -> np.ndarray:
    """Samples that stand at `positions` when the window goes on beyond its edges as its mirror image.

    The sample on the edge is not repeated (`numpy.pad` calls this "reflect").
    """
    if n_times == 1:
        return np.zeros_like(positions)
    folded = np.abs(positions) % (2 * n_times - 2)
    return np.minimum(folded, 2 * n_times - 2 - folded)


def window_samples(name: str, window: float, sfreq: float, n_times: int, f_min: float) -> int:
    """Length in samples of a Hann window of `window` seconds.

    Raises
    ------
    ValueError
        If it has fewer than 4 samples, is longer than the `n_times` samples it is to slide over, or does not hold
        one period of `f_min` (0 Hz, the mean of the Hann window, has none).
    """
    if not (window > 0 and np.isfinite(window)):
        raise ValueError(f"{name}: window {window} is not a length in seconds above 0")
    length = round(window * sfreq)
    if length < 4:
        raise ValueError(
            f"{name}: a Hann window of {window:g} s has {length} samples at {sfreq:g} Hz; it needs 4 or more, "
            f"window: {4 / sfreq:.3g} or longer"
        )
    if length > n_times:
        raise ValueError(
            f"{name}: the Hann window of {window:g} s is longer than the {n_times / sfreq:g} s it slides over; "
            f"choose window: {n_times / sfreq:g} or shorter"
        )
    if f_min * (length + 0.5) / sfreq < 1 and f_min > 0:
        ways = [f"window: {_ceil(1 / f_min):g} or longer"] if _ceil(1 / f_min) <= n_times / sfreq else []
        ways.append(f"f_min: {_ceil(sfreq / length):g} or higher")
        raise ValueError(
            f"{name}: a Hann window of {window:g} s does not hold one period of f_min: {f_min:g} Hz; choose "
            + ", or ".join(ways)
        )
    return length


def _ceil(value: float) -> float:
    """The value with three digits, rounded up."""
    step = 10.0 ** (np.floor(np.log10(value)) - 2)
    return float(f"{np.ceil(value / step - 1e-9) * step:.3g}")


def count_frames(name: str, sfreq: float, n_times: int, n_frames: int | None, hop: float | None) -> int:
    """Number of frames: as given, from the distance `hop` in seconds, or 100.

    Raises
    ------
    ValueError
        If both are given, or if the window is no multiple of `hop`; the message says which are near and fit.
    """
    if hop is None or not sfreq > 0:  # no rate at all is refused with the axes
        return 100 if n_frames is None else n_frames
    if n_frames is not None:
        raise ValueError(f"{name}: n_frames {n_frames} and hop {hop:g} s are both given; give one")
    if not (hop > 0 and np.isfinite(hop)):
        raise ValueError(f"{name}: hop {hop} is not a distance in seconds above 0")
    seconds = n_times / sfreq
    wanted = seconds / hop
    if abs(wanted - round(wanted)) > 1e-6 * wanted:
        ways = [n for n in (int(np.ceil(wanted)), int(wanted)) if n > 0]
        raise ValueError(
            f"{name}: a window of {seconds:g} s is no multiple of hop: {hop:g} s; choose "
            + " or ".join(f"n_frames: {n} (hop {seconds / n:.6g} s)" for n in ways)
        )
    return round(wanted)


def check_axes(name: str, sfreq: float, n_times: int, n_freqs: int, n_frames: int, f_min: float, f_max: float):
    """Refuse axes that can't be.

    Raises
    ------
    ValueError
        With one line that says what was found and what is possible.
    """
    if not sfreq > 0 or not np.isfinite(sfreq):
        raise ValueError(f"{name}: sfreq {sfreq} Hz is not a rate above 0")
    for key, value in (("n_times", n_times), ("n_freqs", n_freqs), ("n_frames", n_frames)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name}: {key} is {value!r}, not a whole number above 0")
    if n_frames > n_times:
        raise ValueError(f"{name}: {n_frames} frames are more than the {n_times} samples of a window")
    if not 0 <= f_min < f_max:
        raise ValueError(f"{name}: f_min {f_min:g} Hz and f_max {f_max:g} Hz are no range; 0 <= f_min < f_max")
    if f_max > sfreq / 2:
        raise ValueError(
            f"{name}: f_max {f_max:g} Hz is above half of the sampling rate {sfreq:g} Hz; "
            f"choose f_max: {sfreq / 2:g} or lower"
        )
