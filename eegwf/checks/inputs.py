"""Checks of the spectrograms against the windows, and of the disk space."""

import math
import shutil
from collections.abc import Collection
from pathlib import Path

from eegwf.checks.findings import Findings
from eegwf.config.spectrograms import Acf, Cwt, Grid, Mel, Stft
from eegwf.dag.flow import Flow
from eegwf.plan.sizes import Sizes
from eegwf.spectrograms.axes import central_samples, check_axes, window_samples
from eegwf.spectrograms.filters import check_filters
from eegwf.spectrograms.lags import frame_samples
from eegwf.spectrograms.wavelets import check_support, make_wavelet

# Fraction of the lower of two sampling rates up to which the filter of the resampling attenuates by less than 0.4 dB.
PASSBAND = 0.43
# Rates that differ by less, such as 128 and 128.0001 Hz, are one rate.
SAME_RATE = 1e-4


def grids_of(flow: Flow) -> dict[str, Grid]:
    """Grids of the spectrograms of the matrix by their names, without `raw`."""
    spectrograms = flow.study.spectrograms
    names = dict.fromkeys(name for entry in flow.study.matrix.spectrograms for name in spectrograms.members(entry))
    return {name: getattr(spectrograms, name) for name in names if name != "raw"}


def check_grids(flow: Flow, sfreq: float, n_times: int, recorded_rates: Collection[float], findings: Findings) -> None:
    """Find spectrograms of the matrix that can't be computed from the windows.

    Parameters
    ----------
    flow
        The study.
    sfreq, n_times
        Sampling rate in Hz and number of samples of its windows, with their context.
    recorded_rates
        Sampling rates of its recordings in Hz.
    findings
        Receives the lines.
    """
    grids = grids_of(flow)
    edge = _highest_frequency(sfreq, recorded_rates)
    for name, grid in grids.items():
        try:
            _, n_span = central_samples(name, sfreq, n_times, grid.span)
            check_axes(name, sfreq, n_span, grid.n_freqs, grid.n_frames, grid.f_min, grid.f_max)
            if isinstance(grid, Cwt):
                wavelet = make_wavelet(grid.wavelet, grid.cycles, grid.gamma)
                check_support(wavelet, sfreq, n_span, grid.f_min, grid.f_max)
            elif isinstance(grid, Acf):
                frame_samples(grid.window, sfreq, n_span, grid.f_min)
            elif isinstance(grid, Mel | Stft):
                n_fft = window_samples(name, grid.window, sfreq, n_span, grid.f_min)
                if isinstance(grid, Mel):
                    check_filters(sfreq, n_span, n_fft, grid.n_freqs, grid.f_min, grid.f_max)
        except ValueError as error:
            findings.problems.append(f"spectrograms.{error}")
        if edge and edge[0] < grid.f_max <= sfreq / 2:
            findings.warnings.append(f"spectrograms.{name}.f_max: {grid.f_max:g} Hz, but {edge[1]}")
    stacked = flow.study.spectrograms.concat if "concat" in flow.study.matrix.spectrograms else []
    if len({(grids[name].n_freqs, grids[name].n_frames) for name in stacked}) > 1:
        listing = ", ".join(f"{name} {grids[name].n_freqs} x {grids[name].n_frames}" for name in stacked)
        findings.problems.append(
            f"matrix.spectrograms: concat stacks {', '.join(stacked[:-1])} and {stacked[-1]}, which need equal n_freqs "
            f"and n_frames; found {listing}"
        )


def _highest_frequency(sfreq: float, recorded_rates: Collection[float]) -> tuple[float, str] | None:
    """Highest frequency in Hz that resampling leaves as recorded, and the reason; None if nothing is resampled."""
    resampled = [rate for rate in recorded_rates if not math.isclose(rate, sfreq, rel_tol=SAME_RATE)]
    if not resampled:
        return None
    lowest = min(sorted(resampled), key=lambda rate: min(rate, sfreq))
    if math.isclose(min(recorded_rates), max(recorded_rates), rel_tol=SAME_RATE):
        # All recordings are changed in the same way, so that no model can tell them apart by it.
        highest = lowest / 2
        return highest, (
            f"the recordings, of {lowest:g} Hz, contain nothing above {highest:g} Hz; choose f_max: {highest:g} or "
            "lower"
        )
    # Rounded down to a tenth, so that the number in the message does not exceed the limit.
    highest = math.floor(10 * PASSBAND * min(lowest, sfreq) + 1e-6) / 10
    return highest, (
        f"recordings of {lowest:g} Hz are resampled to {sfreq:g} Hz, which changes frequencies above {highest:g} Hz, "
        f"by which a model can tell them from recordings of other rates; choose f_max: {highest:g} or lower"
    )


def check_disk(flow: Flow, sizes: Sizes, findings: Findings) -> None:
    """Report the size of the arrays, and check that the disk has enough free space.

    Parameters
    ----------
    flow
        The study.
    sizes
        Number of windows and of values per window.
    findings
        Receives the lines.
    """
    grids = grids_of(flow)
    final, peak = sizes.disk(grids)
    n_stored = 0 if flow.study.spectrograms.on_the_fly else len(grids)
    findings.facts.append(
        f"disk: {final / 1e9:.2g} GB for windows and {n_stored} kind(s) of spectrogram, at most {peak / 1e9:.2g} GB "
        "while they are written"
    )
    folder = Path(flow.results).absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < peak:
        findings.warnings.append(
            f"results: {peak / 1e9:.2g} GB will be written, but {folder} has {free / 1e9:.2g} GB free; set results to "
            "a folder on a larger disk, or increase windows.step"
        )
