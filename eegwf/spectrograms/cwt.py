"""Continuous wavelet transform, averaged over the cells of a time grid.

The power of every cell is computed directly, from a small number of products for each row; the transform itself is
not computed. `eegwf.spectrograms.scales` derives these products.
"""

import math

import numpy as np
import torch

from eegwf.spectrograms.base import TINY, Output, PowerSpectrogram
from eegwf.spectrograms.scales import Band, plan_scales
from eegwf.spectrograms.wavelets import check_support, make_wavelet

FLOOR = 1e-4
"""uV^2: power of a sinusoid of 10 nV, which is below any EEG."""

SIGNALS = 80
"""Signals processed together on the CPU: enough that the overhead of a call is negligible, few enough for the cache."""

PERIODS = 64
"""Maximum number of periods of the highest frequency in a cell; longer cells are computed in parts."""


class CWT(PowerSpectrogram):
    """Power of analytic wavelets, in uV^2: a sinusoid of amplitude A has power A^2 in the row of its frequency.

    The wavelet of row f passes the frequency nu with gain 2 g(nu / f). The function g, defined in
    `eegwf.spectrograms.wavelets`, is 1 at its peak and 0 for nu <= 0 (the wavelet is analytic, and the mean of a
    window has no effect). This is L1 normalization, the same for every row. For Morlet,
    W(t) = 2/s * integral x(u) conj(psi((u - t)/s)) du with psi(t) = exp(i w0 t - t^2/2) / sqrt(2 pi),
    s = w0 / (2 pi f) and w0 = `cycles`. In PyWavelets, it is 2 * |cwt| / sqrt(scale) for the wavelet "cmor2.0-C" with
    C = w0 / (2 pi), at scale C * sfreq / f (Torrence & Compo 1998 normalize by energy, which is larger by
    sqrt(scale)). `freqs` are evenly spaced in the logarithm.

    A cell contains the mean of |W|^2 over it; the square root of this mean is the magnitude. Beyond its edges, the
    window is continued by its mirror image (the sample at the edge is repeated, mode "symmetric" of `numpy.pad`). A
    cell closer to an edge than sqrt(2) s, the cone of influence, depends considerably on the mirror image.

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of a window, with its context.
    span
        Seconds in the middle of it that are transformed; None for all.
    n_freqs, n_frames
        Rows and columns of the result; 100 columns if neither `n_frames` nor `hop` is given.
    hop
        Width of a column in seconds, instead of `n_frames`; the span must be a multiple of it.
    f_min, f_max
        Frequencies of the lowest and the highest row in Hz; `f_max` None means half of the sampling rate.
    wavelet
        "morlet" or "morse" (generalized Morse).
    cycles
        Morlet: w0, the center frequency in radians, which is the number of cycles within +-pi standard deviations of
        the envelope. Morse: the square root of the time-bandwidth product, which has the same meaning.
    gamma
        Symmetry of the Morse wavelet.
    output
        "db": 10 log10(power + floor); "power": uV^2; "magnitude": uV, root mean square over the cell.
    floor
        Power added before the logarithm, uV^2; a signal of zeros is 10 log10(floor) = -40 dB.
    tolerance
        Accuracy of the power; 0.01 keeps the error of the magnitude (Frobenius norm, white or 1/f noise) below 0.3 %.
        Signals whose power decreases more steeply with frequency need a smaller value if `cycles` is small.
    check_finite
        Whether to refuse NaN and infinity; on a GPU the check waits for the input.

    Raises
    ------
    ValueError
        If the frequencies do not fit the sampling rate, or if the window is too short for the wavelet of `f_min`: the
        cones of influence of both edges must not overlap. The message names the lowest possible `f_min`.

    Notes
    -----
    A window with its mirror image is a sum of cosines, whose coefficients are its DCT-II. One real FFT of the
    coefficients of a band is the analytic signal of that band, sampled at the band's width. The band is thereby
    shifted to 0 Hz, which does not change |W|. The second half of the period, the mirror image, is not computed. The
    samples in and near a cell are multiplied with the vectors that `eegwf.spectrograms.scales` derives for each row;
    the sum of the squared magnitudes of these products is the power of the row in that cell.
    """

    mixing: torch.Tensor
    turns: torch.Tensor
    vectors: torch.Tensor

    def __init__(
        self,
        *,
        sfreq: float,
        n_times: int,
        span: float | None = None,
        n_freqs: int = 100,
        n_frames: int | None = None,
        hop: float | None = None,
        f_min: float = 1.0,
        f_max: float | None = None,
        wavelet: str = "morlet",
        cycles: float = 6.0,
        gamma: float = 3.0,
        output: Output = "db",
        floor: float = FLOOR,
        tolerance: float = 0.01,
        check_finite: bool = True,
    ):
        super().__init__(
            sfreq=sfreq,
            n_times=n_times,
            span=span,
            n_freqs=n_freqs,
            n_frames=n_frames,
            hop=hop,
            f_min=f_min,
            f_max=f_max,
            floor=floor,
            output=output,
            check_finite=check_finite,
        )
        if not 0 < tolerance < 1:
            raise ValueError(f"cwt: tolerance is {tolerance}; expected a number between 0 and 1")
        self.tolerance = float(tolerance)
        self.wavelet = make_wavelet(wavelet, cycles, gamma)
        check_support(self.wavelet, self.sfreq, self.n_times, self.f_min, self.f_max)
        self.freqs = np.geomspace(self.f_min, self.f_max, self.n_freqs)
        # Long cells are averages of shorter ones, since the time to compute the vectors of a cell grows with the third
        # power of its length.
        self.parts = math.ceil(self.f_max * self.hop / PERIODS)
        self.n_cells = self.n_frames * self.parts
        self.bands, mixing = plan_scales(
            self.wavelet, self.freqs, self.sfreq, self.n_times, self.n_cells, self.tolerance
        )
        # Rows below `plain` are all computed; the rows from `plain` on are mixed from the scales from `mixed_from` on.
        interpolated = (mixing != 0).sum(axis=1) > 1
        self.plain = int(interpolated.argmax()) if interpolated.any() else self.n_freqs
        self.mixed_from = int((mixing[self.plain :] != 0).any(axis=0).argmax()) if interpolated.any() else 0
        self._constant("mixing", mixing[self.plain :, self.mixed_from :])
        turns = np.exp(-0.5j * np.pi * np.arange(self.n_times // 2 + 1) / self.n_times) * 2 / self.n_times
        self._constant("turns", turns)
        ends = [part.first + 2 * self.n_cells * part.points for part in self.bands]
        self.room = max(0, max(ends) - self.n_times)
        self._constant("vectors", np.concatenate([part.vectors.ravel() for part in self.bands]))

    def _power(self, signals: torch.Tensor, block: int) -> torch.Tensor:
        dtype = signals.dtype
        complex_dtype = torch.complex64 if dtype == torch.float32 else torch.complex128
        turns, mixing = self.turns.to(complex_dtype), self.mixing.to(dtype)
        vectors = self.vectors.to(complex_dtype).split([part.vectors.size for part in self.bands])
        power = signals.new_empty(len(signals), self.n_freqs, self.n_frames)
        together = SIGNALS if signals.device.type == "cpu" else max(1, block // (8 * self.n_times))
        for start in range(0, len(signals), together):
            target = power[start : start + together]
            cosines = self._cosines(signals[start : start + together], turns)
            cells = torch.cat(
                [self._cells(cosines, *band) for band in zip(self.bands, vectors, strict=True)], dim=2
            ).mT  # (n, scales, n_cells)
            cells = cells.unflatten(-1, (self.n_frames, self.parts)).mean(-1) if self.parts > 1 else cells
            if self.plain:
                target[:, : self.plain] = cells[:, : self.plain]
            if self.plain < self.n_freqs:
                magnitudes = cells[:, self.mixed_from :].clamp_min(TINY).sqrt()
                target[:, self.plain :] = torch.relu(mixing @ magnitudes).square()
        return power

    def _cosines(self, signals: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        """Coefficients (n, n_times + room) of the cosines whose sum is the signal: DCT-II (Makhoul 1980)."""
        reordered = torch.cat([signals[:, ::2], signals[:, 1::2].flip(-1)], dim=-1)
        spectrum = torch.fft.rfft(reordered) * turns
        high = spectrum.imag[:, 1 : (self.n_times + 1) // 2].flip(-1).neg()
        return torch.cat([spectrum.real, high, signals.new_zeros(len(signals), self.room)], dim=-1)

    def _cells(self, cosines: torch.Tensor, part: Band, vectors: torch.Tensor) -> torch.Tensor:
        """Mean power in the cells, (n, n_cells, rows), of the scales of a band."""
        length = 2 * self.n_cells * part.points
        waves = mirrored(torch.fft.rfft(cosines[:, part.first : part.first + length]), part.beyond)
        around = waves.unfold(-1, part.points + 1 + 2 * part.beyond, part.points)  # the samples of each cell
        products = torch.view_as_real(around.reshape(-1, around.shape[-1]) @ vectors.view(around.shape[-1], -1))
        number = 2 * part.vectors.shape[-1]
        squares = products.square().view(-1, number)
        return (squares @ squares.new_ones(number, 1)).view(*around.shape[:2], -1)


def mirrored(waves: torch.Tensor, beyond: int) -> torch.Tensor:
    """Extend the analytic signal of a window on both sides.

    Where a real signal is continued by its mirror image, its analytic signal is continued by the complex conjugate of
    the mirror image.

    Parameters
    ----------
    waves
        Analytic signal, shape (n, samples).
    beyond
        Number of samples added on either side.

    Returns
    -------
    torch.Tensor
        Shape (n, samples + 2 * beyond).
    """
    while beyond:
        step = min(beyond, waves.shape[-1] - 1)
        left, right = waves[:, 1 : step + 1].flip(-1), waves[:, -step - 1 : -1].flip(-1)
        waves = torch.cat([left.conj(), waves, right.conj()], dim=-1)
        beyond -= step
    return waves
