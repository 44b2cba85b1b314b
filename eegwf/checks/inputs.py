"""Checks of the spectrograms against the windows, and of the disk space."""

import shutil
from pathlib import Path

from eegwf.checks.findings import Findings
from eegwf.config.spectrograms import Cwt, Grid, Mel, Stft
from eegwf.dag.flow import Flow
from eegwf.plan.sizes import Sizes
from eegwf.spectrograms.axes import check_axes, window_samples
from eegwf.spectrograms.filters import check_filters
from eegwf.spectrograms.names import members
from eegwf.spectrograms.wavelets import check_support, make_wavelet


def grids_of(flow: Flow) -> dict[str, Grid]:
    """Grids of the spectrograms of the matrix by their names, without `raw`."""
    names = dict.fromkeys(name for entry in flow.study.matrix.spectrograms for name in members(entry))
    return {name: getattr(flow.study.spectrograms, name) for name in names if name != "raw"}


def check_grids(flow: Flow, sfreq: float, n_times: int, recorded_sfreq: float, findings: Findings) -> None:
    """Find spectrograms of the matrix that can't be computed from the windows.

    Parameters
    ----------
    flow
        The study.
    sfreq, n_times
        Sampling rate in Hz and number of samples of its windows.
    recorded_sfreq
        Lowest sampling rate of its recordings in Hz.
    findings
        Receives the lines.
    """
    grids = grids_of(flow)
    for name, grid in grids.items():
        try:
            check_axes(name, sfreq, n_times, grid.n_freqs, grid.n_frames, grid.f_min, grid.f_max)
            if isinstance(grid, Cwt):
                wavelet = make_wavelet(grid.wavelet, grid.cycles, grid.gamma)
                check_support(wavelet, sfreq, n_times, grid.f_min, grid.f_max)
            elif isinstance(grid, Mel | Stft):
                n_fft = window_samples(name, grid.window, sfreq, n_times, grid.f_min)
                if isinstance(grid, Mel):
                    check_filters(sfreq, n_times, n_fft, grid.n_freqs, grid.f_min, grid.f_max)
        except ValueError as error:
            findings.problems.append(f"spectrograms.{error}")
        highest = recorded_sfreq / 2
        if highest < grid.f_max <= sfreq / 2:
            findings.warnings.append(
                f"spectrograms.{name}.f_max: {grid.f_max:g} Hz, but recordings of {recorded_sfreq:g} Hz contain "
                f"nothing above {highest:g} Hz, by which a model can recognize them; choose f_max: {highest:g} or lower"
            )
    shapes = {(grid.n_freqs, grid.n_frames) for grid in grids.values()}
    if "concat" in flow.study.matrix.spectrograms and len(shapes) > 1:
        listing = ", ".join(f"{name} {grid.n_freqs} x {grid.n_frames}" for name, grid in grids.items())
        findings.problems.append(
            "matrix.spectrograms: concat stacks mel, cwt and stft, which need equal n_freqs and n_frames; found "
            f"{listing}"
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
    findings.facts.append(
        f"disk: {final / 1e9:.2g} GB for windows and {len(grids)} kind(s) of spectrogram, at most {peak / 1e9:.2g} GB "
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
