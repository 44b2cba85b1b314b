"""MixStyle: windows with the amplitude statistics of windows of other patients."""

import torch

# Probability with which a window is mixed, that of the paper: the network sees windows as they are recorded as well.
PROBABILITY = 0.5
# Added to the variance, in the squared unit of the windows, so that a channel without signal is not amplified.
EPSILON = 1e-6


def mix_styles(x: torch.Tensor, target: torch.Tensor, patient: torch.Tensor, alpha: float) -> torch.Tensor:
    """Mix the mean and standard deviation over time of windows with those of another patient's window.

    Parameters
    ----------
    x
        Normalized windows `(batch, n_chans, n_freqs, n_frames)`.
    target
        Class indices `(batch,)`.
    patient
        Number of the patient of each window `(batch,)`.
    alpha
        Parameter of the distribution Beta(alpha, alpha) of the weight of a window's own statistics.

    Returns
    -------
    torch.Tensor
        Windows of the same shape. About half of those for which the batch has a window of another patient and the same
        class are changed.

    Notes
    -----
    Zhou et al. 2021, Domain generalization with MixStyle (ICLR), applied to the input instead of features of a CNN. The
    statistics are those of each channel and frequency over the frames. In a spectrogram in dB, the gain of an
    amplifier, its filters, and the attenuation of a channel shift the mean of a frequency; in a time series they scale
    the standard deviation. An affine normalization by channel and frequency does not change the result.

    The level of a frequency is also evidence of the class, unlike the style of a picture. Windows are therefore mixed
    within their class only, which differs from the paper.
    """
    partner, found = draw_partners(target, patient)
    concentration = torch.full((len(x),), alpha, device=x.device)
    weight = torch.distributions.Beta(concentration, concentration, validate_args=False).sample()
    mixed = found & (torch.rand(len(x), device=x.device) < PROBABILITY)
    return torch.where(mixed[:, None, None, None], with_mixed_statistics(x, partner, weight), x)


def draw_partners(target: torch.Tensor, patient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw for each window another one of the same class and another patient, without waiting for the device.

    Parameters
    ----------
    target, patient
        Class indices and numbers of the patients `(batch,)`.

    Returns
    -------
    partner, found
        Position of the other window, and whether there is one, `(batch,)`.
    """
    allowed = (target[:, None] == target) & (patient[:, None] != patient)
    draw = torch.rand(allowed.shape, device=target.device).masked_fill(~allowed, -1.0)
    return draw.argmax(dim=1), allowed.any(dim=1)


def with_mixed_statistics(x: torch.Tensor, partner: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Replace the statistics of windows by a mean of their own and those of others.

    Parameters
    ----------
    x
        Windows `(batch, n_chans, n_freqs, n_frames)`.
    partner
        Position of the other window, `(batch,)`.
    weight
        Weight of a window's own statistics, `(batch,)`.

    Returns
    -------
    torch.Tensor
        Windows of the same shape.
    """
    mean = x.mean(dim=3, keepdim=True)
    deviation = (x.var(dim=3, keepdim=True, correction=0) + EPSILON).sqrt()
    own = weight[:, None, None, None]
    new_mean = own * mean + (1 - own) * mean[partner]
    new_deviation = own * deviation + (1 - own) * deviation[partner]
    return (x - mean) / deviation * new_deviation + new_mean
