"""Whether the spectrograms fit the windows, and the arrays the disk."""

import shutil
from pathlib import Path

from eegwf.checks.findings import Findings
from eegwf.config.spectrograms import Cwt, Grid, Mel
from eegwf.dag.flow import Flow
from eegwf.spectrograms.axes import check_axes, window_samples
from eegwf.spectrograms.filters import check_filters
from eegwf.spectrograms.names import members
from eegwf.spectrograms.wavelets import check_support, make_wavelet


def grids_of(flow: Flow) -> dict[str, Grid]:
    """Grids of the spectrograms that the matrix asks for."""
    names = dict.fromkeys(name for asked in flow.study.matrix.spectrograms for name in members(asked))
    return {name: getattr(flow.study.spectrograms, name) for name in names if name != "raw"}


def check_grids(flow: Flow, sfreq: float, length: int, recorded: float, findings: Findings) -> None:
    """Find spectrograms of the matrix that don't fit the windows.

    Parameters
    ----------
    flow
        The study.
    sfreq, length
        Sampling rate in Hz and number of samples of its windows.
    recorded
        Lowest sampling rate among its recordings.
    findings
        Gets the lines.
    """
    grids = grids_of(flow)
    for name, grid in grids.items():
        try:
            check_axes(name, sfreq, length, grid.n_freqs, grid.n_times, grid.f_min, grid.f_max)
            if isinstance(grid, Cwt):
                wavelet = make_wavelet(grid.wavelet, grid.cycles, grid.gamma)
                check_support(wavelet, sfreq, length, grid.f_min, grid.f_max)
            else:
                n_fft = window_samples(name, grid.window, sfreq, length, grid.f_min)
                if isinstance(grid, Mel):
                    check_filters(sfreq, length, n_fft, grid.n_freqs, grid.f_min, grid.f_max)
        except ValueError as error:
            findings.problems.append(f"spectrograms.{error}")
        if recorded / 2 < grid.f_max <= sfreq / 2:
            findings.warnings.append(
                f"spectrograms.{name}.f_max: {grid.f_max:g} Hz, but recordings of {recorded:g} Hz hold nothing above "
                f"{recorded / 2:g} Hz, and a model can tell them by that; choose f_max: {recorded / 2:g} or lower"
            )
    shapes = {(grid.n_freqs, grid.n_times) for grid in grids.values()}
    if "concat" in flow.study.matrix.spectrograms and len(shapes) > 1:
        told = ", ".join(f"{name} {grid.n_freqs} x {grid.n_times}" for name, grid in grids.items())
        findings.problems.append(
            f"matrix.spectrograms: concat stacks mel, cwt and stft, which need equal n_freqs and n_times; found {told}"
        )


def check_space(flow: Flow, n_windows: int, n_chans: int, length: int, findings: Findings) -> None:
    """Say what the arrays will take in half precision, and whether the disk has it.

    Parameters
    ----------
    flow
        The study.
    n_windows, n_chans, length
        Shape of the array of windows.
    findings
        Gets the lines.
    """
    grids = grids_of(flow).values()
    # Windows stand twice while they are made: the recordings' parts, and the array they are joined to.
    values = 2 * length + sum(grid.n_freqs * grid.n_times for grid in grids)
    needed = 2.0 * n_windows * n_chans * values / 1e9
    findings.facts.append(f"disk: about {needed:.2g} GB for windows and {len(grids)} kind(s) of spectrogram")
    folder = Path(flow.results).absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    if free < needed:
        findings.warnings.append(
            f"results: about {needed:.2g} GB will be written, but {folder} has {free:.2g} GB left; set results to a "
            "folder on a larger disk, or lengthen windows.step"
        )
