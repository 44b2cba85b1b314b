"""Augmentation of the signals of a batch on its device, before they become the input of a model.

All draws are made for each window from the generator of the device.
"""

import math
from typing import Any

import torch

from eegwf.config.signal_augmentation import enabled_by_settings
from eegwf.config.training import Training
from eegwf.data.signals.mirror import check_referential, mirror_channels
from eegwf.errors import InputError

NOISY_FRACTION = 0.2
"""Probability with which `electrode_noise` changes a channel."""
LOWEST_TILTED = 1.0
"""Frequency in Hz from which the spectrum is tilted; below it, the gain is that at this frequency."""


class SignalAugmentation:
    """The augmentations of signals that the settings enable.

    Parameters
    ----------
    settings
        Settings of training.
    axes
        `ch_names` and `sfreq` (Hz) of the signals.

    Raises
    ------
    InputError
        If the channels have no mirror images, or no common reference, and an enabled augmentation needs them.
    """

    def __init__(self, settings: Training, axes: dict[str, Any]):
        self.settings, self._sfreq = settings, float(axes["sfreq"])
        if settings.rereference:
            check_referential(axes["ch_names"])
        if settings.mirror:
            source, sign = mirror_channels(axes["ch_names"])
            self._source, self._sign = torch.from_numpy(source), torch.from_numpy(sign).float()

    def __call__(self, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Augment signals.

        Parameters
        ----------
        x
            Microvolts `(batch, n_chans, n_times)`, float32.
        target
            Class indices of the windows `(batch,)`; 0 is the background.

        Returns
        -------
        torch.Tensor
            Augmented signals of the same shape.
        """
        settings = self.settings
        if settings.background_mix:
            x = mix_background(x, target, settings.background_mix)
        if settings.time_stretch:
            x = stretch_time(x, settings.time_stretch)
        if settings.mirror:
            self._source, self._sign = self._source.to(x.device), self._sign.to(x.device)
            x = mirror(x, settings.mirror, self._source, self._sign)
        if settings.rereference:
            x = rereference(x, settings.rereference)
        if settings.tilt_db:
            x = tilt_spectrum(x, settings.tilt_db, self._sfreq)
        if settings.gain_db:
            x = x * _decibels(_symmetric(x, settings.gain_db))[:, None, None]
        return add_electrode_noise(x, settings.electrode_noise) if settings.electrode_noise else x


def make_signal_augmentation(settings: Training, axes: dict[str, Any] | None) -> SignalAugmentation | None:
    """Make the augmentation of signals that the settings enable.

    Parameters
    ----------
    settings
        Settings of training.
    axes
        `ch_names` and `sfreq` (Hz) of the signals; None if stored spectrograms are read.

    Returns
    -------
    SignalAugmentation or None
        None if no augmentation is enabled.

    Raises
    ------
    InputError
        If one is enabled and there are no signals, or their channels do not fit it.
    """
    enabled = enabled_by_settings(settings)
    if not enabled:
        return None
    if axes is None:
        raise InputError(
            f"training.{enabled[0]}: signals can't be augmented, since stored spectrograms are read; write "
            f"spectrograms.on_the_fly: true, or set {enabled[0]}: 0"
        )
    return SignalAugmentation(settings, axes)


def mix_background(x: torch.Tensor, target: torch.Tensor, fraction: float) -> torch.Tensor:
    """Add a fraction of another background window to each window; its class stays.

    Parameters
    ----------
    x
        Signals `(batch, n_chans, n_times)`.
    target
        Class indices `(batch,)`; 0 is the background.
    fraction
        Maximum fraction, which is drawn uniformly.

    Returns
    -------
    torch.Tensor
        Signals of the same shape. A batch without another background window stays.
    """
    n_windows = len(x)
    allowed = (target == 0)[None, :] & ~torch.eye(n_windows, dtype=torch.bool, device=x.device)
    priority = torch.rand(n_windows, n_windows, device=x.device).masked_fill(~allowed, -1.0)
    partner = priority.argmax(dim=1)
    weight = torch.rand(n_windows, device=x.device) * fraction * allowed.any(dim=1)
    return x + x[partner] * weight[:, None, None]


def stretch_time(x: torch.Tensor, fraction: float) -> torch.Tensor:
    """Stretch or compress the time of each window about its center, by linear interpolation.

    Parameters
    ----------
    x
        Signals `(batch, n_chans, n_times)`.
    fraction
        Maximum relative change of the duration, which is drawn uniformly.

    Returns
    -------
    torch.Tensor
        Signals of the same shape. Where a compressed window ends, it is continued by its reflection.
    """
    n_times = x.shape[2]
    if n_times < 2:
        return x
    center = (n_times - 1) / 2
    duration = 1 + _symmetric(x, fraction)
    position = center + (torch.arange(n_times, device=x.device) - center) / duration[:, None]
    position = _reflected(position, n_times)
    before = position.floor().long().clamp(0, n_times - 2)
    weight = (position - before)[:, None, :]
    first = before[:, None, :].expand_as(x)
    return x.gather(2, first) * (1 - weight) + x.gather(2, first + 1) * weight


def _reflected(position: torch.Tensor, n_times: int) -> torch.Tensor:
    """Positions from 0 to `n_times` - 1 at which a signal and its reflections have the values of these positions."""
    last = n_times - 1
    return last - (last - position.abs()).abs()


def mirror(x: torch.Tensor, probability: float, source: torch.Tensor, sign: torch.Tensor) -> torch.Tensor:
    """Exchange the left and the right channels of some windows.

    Parameters
    ----------
    x
        Signals `(batch, n_chans, n_times)`.
    probability
        Probability for a window.
    source, sign
        As `eegwf.data.signals.mirror.mirror_channels` returns them.

    Returns
    -------
    torch.Tensor
        Signals of the same shape.
    """
    chosen = torch.rand(len(x), 1, 1, device=x.device) < probability
    return torch.where(chosen, x[:, source] * sign[:, None], x)


def rereference(x: torch.Tensor, probability: float) -> torch.Tensor:
    """Change the common reference of some windows: to the average of the channels or, as often, to one of them.

    Parameters
    ----------
    x
        Signals `(batch, n_chans, n_times)` against a common reference.
    probability
        Probability for a window.

    Returns
    -------
    torch.Tensor
        Signals of the same shape. The channel that becomes the reference is zero.
    """
    n_windows, n_chans, n_times = x.shape
    chosen = torch.rand(n_windows, 1, 1, device=x.device) < probability
    to_average = torch.rand(n_windows, 1, 1, device=x.device) < 0.5
    channel = torch.randint(n_chans, (n_windows, 1, 1), device=x.device).expand(-1, 1, n_times)
    reference = torch.where(to_average, x.mean(dim=1, keepdim=True), x.gather(1, channel))
    return torch.where(chosen, x - reference, x)


def tilt_spectrum(x: torch.Tensor, tilt: float, sfreq: float) -> torch.Tensor:
    """Tilt the spectrum of each window: its gain in dB is linear in the logarithm of the frequency.

    Parameters
    ----------
    x
        Signals `(batch, n_chans, n_times)`.
    tilt
        Maximum difference of the gain between 1 Hz and half of the sampling rate in dB, which is drawn uniformly, in
        either direction.
    sfreq
        Sampling rate in Hz.

    Returns
    -------
    torch.Tensor
        Signals of the same shape. The gain is 0 dB in the middle of the logarithmic axis.
    """
    n_times = x.shape[2]
    freqs = torch.fft.rfftfreq(n_times, 1 / sfreq, device=x.device).clamp_min(LOWEST_TILTED)
    octaves = math.log2(max(sfreq / 2, 2 * LOWEST_TILTED) / LOWEST_TILTED)
    place = torch.log2(freqs / LOWEST_TILTED) / octaves - 0.5
    gain = _decibels(_symmetric(x, tilt)[:, None] * place)
    return torch.fft.irfft(torch.fft.rfft(x) * gain[:, None, :], n=n_times)


def add_electrode_noise(x: torch.Tensor, fraction: float) -> torch.Tensor:
    """Add white noise to some channels of each window.

    Parameters
    ----------
    x
        Signals `(batch, n_chans, n_times)`.
    fraction
        Maximum standard deviation of the noise relative to that of the channel, which is drawn uniformly for each
        channel.

    Returns
    -------
    torch.Tensor
        Signals of the same shape.
    """
    level = torch.rand(x.shape[:2], device=x.device) * fraction
    level = level * (torch.rand(x.shape[:2], device=x.device) < NOISY_FRACTION) * x.std(dim=2, correction=0)
    return x + torch.randn_like(x) * level[:, :, None]


def _symmetric(x: torch.Tensor, most: float) -> torch.Tensor:
    """A number from -`most` to `most` for each window."""
    return (2 * torch.rand(len(x), device=x.device) - 1) * most


def _decibels(gain: torch.Tensor) -> torch.Tensor:
    """Factor of an amplitude, of a gain in dB."""
    return 10 ** (gain / 20)
