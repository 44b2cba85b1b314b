"""Continuous wavelet transform, pooled to a grid, computed only as finely as each scale needs."""

import numpy as np
import torch

from eegwf.spectrograms.base import TINY, Output, Spectrogram
from eegwf.spectrograms.scales import plan_scales, skirt
from eegwf.spectrograms.wavelets import band, check_support, make_wavelet

FLOOR = 1e-4
"""uV^2: a sinusoid of 10 nV; below it there is no EEG."""

SIGNALS = 80
"""Signals worked on at once on the CPU: enough for every call to be worth its overhead, few enough for the cache."""


class CWT(Spectrogram):
    """Power of analytic wavelets, in uV^2: a sinusoid of amplitude A has A^2 in its own row.

    The wavelet of row f passes the frequency nu with gain 2 g(nu / f); g, of `eegwf.spectrograms.wavelets`, is 1
    at its peak and 0 for nu <= 0 (analytic; the mean of a window counts nowhere). This is L1 normalisation, the
    same for every row: for Morlet W(t) = 2/s * integral x(u) conj(psi((u - t)/s)) du,
    psi(t) = exp(i w0 t - t^2/2) / sqrt(2 pi), s = w0 / (2 pi f), w0 = `cycles`. In PyWavelets' terms it is
    2 * |cwt| / sqrt(scale) for the wavelet "cmor2.0-C", C = w0 / (2 pi), at scale C * sfreq / f (Torrence & Compo
    1998 normalise by energy, sqrt(scale) larger). `freqs` are spaced evenly in log.

    A cell holds the mean of |W|^2 over it, whose root is the magnitude. Beyond its edges the window goes on as its
    mirror image (the sample on the edge repeated, `numpy.pad` calls it "symmetric"); a cell nearer to an edge than
    sqrt(2) s, the cone of influence, owes much to that image.

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    n_times
        Samples of a window.
    n_freqs, n_frames
        Rows and columns of the result; 100 columns if neither `n_frames` nor `hop` is given.
    hop
        Width of a column in seconds, in place of `n_frames`; it must divide the window.
    f_min, f_max
        Frequencies of the lowest and the highest row in Hz; `f_max` None: half of the sampling rate.
    wavelet
        "morlet" or "morse" (generalized Morse).
    cycles
        Morlet: w0, the centre frequency in radians, the number of cycles within +-pi standard deviations of the
        envelope. Morse: the root of the time-bandwidth product, which means the same.
    gamma
        Symmetry of the Morse wavelet.
    output
        "db": 10 log10(power + floor); "power": uV^2; "magnitude": uV, root mean square over the cell.
    floor
        Power added before the logarithm, uV^2; silence becomes 10 log10(floor) = -40 dB.
    tolerance
        Error of a cell's power that is allowed for: root mean square, over root mean square, for white noise.
    check_finite
        Refuse NaN and infinity; on a GPU the check waits for the input.

    Raises
    ------
    ValueError
        If the frequencies don't fit the sampling rate, or if the window is shorter than the wavelet of `f_min`
        needs: the cones of influence of both edges must not meet; the message says what `f_min` would do.

    Notes
    -----
    A window with its mirror image is a sum of cosines (its DCT-II), so W on an even grid is one real FFT of the
    cosines' coefficients times the wavelet's spectrum, whose second half, the mirror image, is not computed. |W|
    does not feel a shift of the spectrum: a row takes the bins of its band alone, in an FFT just as long as the
    samples that its bandwidth asks for; what the band has more of bins than that folds onto the others, as
    sampling does. How many samples that is, with what weights they are pooled, and which rows follow from their
    neighbours, `eegwf.spectrograms.scales` finds for `tolerance`.
    """

    def __init__(
        self,
        *,
        sfreq: float,
        n_times: int,
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
            raise ValueError(f"cwt: tolerance {tolerance} is not between 0 and 1")
        self.tolerance = float(tolerance)
        self.wavelet = make_wavelet(wavelet, cycles, gamma)
        check_support(self.wavelet, self.sfreq, self.n_times, self.f_min, self.f_max)
        self.freqs = np.geomspace(self.f_min, self.f_max, self.n_freqs)
        self.scales, mixing = plan_scales(self.wavelet, self.freqs, self.sfreq, self.hop, self.tolerance)
        # Up to here every row is computed, and mixing needs scales from there on.
        interpolated = (mixing != 0).sum(axis=1) > 1
        self.plain = int(interpolated.argmax()) if interpolated.any() else self.n_freqs
        self.mixed_from = int((mixing[self.plain :] != 0).any(axis=0).argmax()) if interpolated.any() else 0
        self._constant("mixing", mixing[self.plain :, self.mixed_from :])
        turns = np.exp(-0.5j * np.pi * np.arange(self.n_times // 2 + 1) / self.n_times) * 2 / self.n_times
        self._constant("turns", turns)
        self.first_bins, gains = zip(*(self._gains(scales) for scales in self.scales), strict=True)
        self.widths = [gain.shape[1] for gain in gains]
        last = max(max(first) + width for first, width in zip(self.first_bins, self.widths, strict=True))
        self.room = max(0, last - self.n_times)
        self._constant("gains", np.concatenate([gain.ravel() for gain in gains]))
        # Real and imaginary parts have the same weight.
        self._constant("weights", np.concatenate([np.repeat(scales.weights, 2) for scales in self.scales]))

    def _gains(self, scales) -> tuple[list[int], np.ndarray]:
        """First bin of each scale's band, and gains (rows, width) from there on, 0 beyond the band.

        Bins are sfreq / (2 n_times) apart; the width is that of the widest band, the FFT's length at least.
        """
        freqs = self.freqs[list(scales.rows), None]
        low, high = (edge * freqs * 2 * self.n_times / self.sfreq for edge in band(self.wavelet, skirt(self.tolerance)))
        first = np.maximum(1, np.ceil(low)).astype(int)
        last = np.minimum(self.n_times - 1, np.floor(high)).astype(int)
        width = max(2 * self.n_frames * scales.points, int((last - first).max()) + 1)
        bins = first + np.arange(width)
        gains = self.wavelet.gain(bins * self.sfreq / (2 * self.n_times * freqs)) * (bins <= last)
        return first[:, 0].tolist(), gains

    def _power(self, signals: torch.Tensor, block: int) -> torch.Tensor:
        dtype = signals.dtype
        gains = self.gains.to(dtype).split(
            [len(scales.rows) * width for scales, width in zip(self.scales, self.widths, strict=True)]
        )
        weights = self.weights.to(dtype).split([2 * scales.points + 2 for scales in self.scales])
        groups = [
            (first, gain.view(len(first), width), weight)
            for first, gain, width, weight in zip(self.first_bins, gains, self.widths, weights, strict=True)
        ]
        turns, mixing = (
            self.turns.to(torch.complex64 if dtype == torch.float32 else torch.complex128),
            self.mixing.to(dtype),
        )
        power = signals.new_empty(len(signals), self.n_freqs, self.n_frames)
        together = SIGNALS if signals.device.type == "cpu" else max(1, block // (8 * self.n_times))
        for start in range(0, len(signals), together):
            into = power[start : start + together]
            cosines = self._cosines(signals[start : start + together], turns)
            cells = torch.cat([self._cells(cosines, *group, block) for group in groups])  # (scales, n, n_frames)
            into[:, : self.plain] = cells[: self.plain].transpose(0, 1)
            if self.plain < self.n_freqs:
                magnitudes = cells[self.mixed_from :].flatten(1).clamp_min(TINY).sqrt()
                mixed = torch.relu(mixing @ magnitudes).square().view(-1, *cells.shape[1:])
                into[:, self.plain :] = mixed.transpose(0, 1)
        return power

    def _cosines(self, signals: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        """Coefficients (n, n_times + room) of the cosines whose sum is the signals: DCT-II (Makhoul 1980)."""
        reordered = torch.cat([signals[:, ::2], signals[:, 1::2].flip(-1)], dim=-1)
        spectrum = torch.fft.rfft(reordered) * turns
        high = spectrum.imag[:, 1 : (self.n_times + 1) // 2].flip(-1).neg()
        return torch.cat([spectrum.real, high, signals.new_zeros(len(signals), self.room)], dim=-1)

    def _cells(self, cosines: torch.Tensor, first: list[int], gains: torch.Tensor, weights: torch.Tensor, block: int):
        """Mean power in the cells, (rows, n, n_frames), of rows that are sampled alike."""
        length = self.n_frames * (len(weights) - 2)
        each = max(1, block // (2 * length * len(cosines)))
        cells = []
        for start in range(0, len(first), each):
            spectra = folded(cosines, first[start : start + each], gains[start : start + each], length)
            cells.append(pooled(torch.fft.rfft(spectra), weights))
        return torch.cat(cells) if len(cells) > 1 else cells[0]


def folded(cosines: torch.Tensor, first: list[int], gains: torch.Tensor, length: int) -> torch.Tensor:
    """Coefficients from each first bin on, times the gains, folded to `length`: (rows, n, length)."""
    width = gains.shape[1]
    if torch.is_grad_enabled() and cosines.requires_grad:
        rows = torch.stack([cosines[:, at : at + width] * gain for at, gain in zip(first, gains, strict=True)])
        return torch.nn.functional.pad(rows, (0, -width % length)).unflatten(-1, (-1, length)).sum(-2)
    spectra = cosines.new_empty(len(first), len(cosines), length)
    for row, at, gain in zip(spectra, first, gains, strict=True):
        torch.mul(cosines[:, at : at + length], gain[:length], out=row)
        for start in range(length, width, length):
            more = gain[start : start + length]
            row[:, : len(more)].addcmul_(cosines[:, at + start : at + start + len(more)], more)
    return spectra


def pooled(waves: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted means of |waves|^2 over cells that share their edges.

    Parameters
    ----------
    waves
        Complex, shape (rows, n, n_frames * points + 1).
    weights
        Shape (2 * points + 2,): of the samples of a cell, both edges included, each twice.

    Returns
    -------
    torch.Tensor
        Shape (rows, n, n_frames).
    """
    span = len(weights) - 2
    squares = torch.view_as_real(waves).flatten(-2)[..., :-2].square().unflatten(-1, (-1, span))
    cells = (squares.reshape(-1, span) @ weights[:span, None]).view(squares.shape[:-1])
    last = waves[..., -1].real.square() + waves[..., -1].imag.square()
    cells[..., :-1] += (squares[..., 1:, 0] + squares[..., 1:, 1]) * weights[-1]
    cells[..., -1] += last * weights[-1]
    return cells
