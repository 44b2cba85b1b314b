"""The page docs/benchmarks.md, made of the figures in benchmarks.json."""

from typing import Any

from bench.contenders import RIVALS, SPECTROGRAMS
from bench.page_generalization import generalization
from bench.page_training import training
from bench.shapes import WINDOW_SECONDS
from bench.tables import measured_on, table

FULL_HOURS = 1000
ABOUT = (
    "This page is written by `make bench`; the figures are also in `benchmarks.json`. The compared programs are "
    "measured in turns in one process, and each ratio is the median over the rounds of the ratio within a round, "
    "because the speed of the machine changes over time; the numbers of windows per second change with it."
)


def page(figures: dict[str, Any]) -> str:
    """Markdown of all figures."""
    parts = ["# Benchmarks", ABOUT]
    parts += _spectrograms(figures["spectrograms"], figures["machine"]) if "spectrograms" in figures else []
    parts += training(figures["training"]) if "training" in figures else []
    parts += generalization(figures["generalization"]) if "generalization" in figures else []
    return "\n\n".join(parts) + "\n"


def _spectrograms(figures: dict[str, Any], machine: dict[str, Any]) -> list[str]:
    return [
        "## Spectrograms",
        measured_on(machine),
        "A window has 20 channels of 5120 samples (20 s at 256 Hz); its spectrogram has 100 x 100 cells per channel. "
        "eegwf computes decibels in single precision, 16 windows per call as in the workflow, or one window per call. "
        "The other libraries transform one window, all channels in one call where possible, in float32 unless stated "
        "otherwise (MNE reads recordings in float64, and PyWavelets then computes in float64). Wavelet coefficients "
        "are pooled to the same grid by the root mean square; SciPy and librosa compute power with a hop of 51 "
        "samples, SciPy for 129 frequencies.",
        *(_speed(figures, key, number) for key, number in (("one_thread", 1), ("all_threads", figures["n_threads"]))),
        _scaling(figures),
        _accuracy(figures["accuracy"]),
        _store(figures),
        _gpu(figures),
    ]


def _speed(figures: dict[str, Any], key: str, number: int) -> str:
    title = "### One thread" if number == 1 else f"### {number} threads"
    rows = []
    for name in SPECTROGRAMS:
        batch_call = f"eegwf {name}"
        for call in (batch_call, f"{batch_call}, one window per call", *RIVALS[name]):
            if call not in figures[key]:
                continue
            row = figures[key][call]
            ratio, single_ratio = row["ours_faster"], row["ours_single_faster"]
            peak = figures["peak_mib"].get(call)
            rows.append(
                [
                    call,
                    f"{row['windows_per_second']:.1f}",
                    f"{ratio:.1f}" if ratio else "",
                    f"{single_ratio:.1f}" if single_ratio else "",
                    f"{peak:.0f}" if peak is not None else "",
                ]
            )
    header = [
        "",
        "windows per second",
        "speed-up of eegwf",
        "speed-up of eegwf, one window per call",
        "peak memory, MiB",
    ]
    note = (
        "Peak memory is that of one window, without the memory of the loaded libraries."
        if number == 1
        else "The threads are those of torch and of SciPy's FFT within a call; the other libraries use one thread."
    )
    return f"{title}\n\n{table(header, rows)}\n\n{note}"


def _scaling(figures: dict[str, Any]) -> str:
    ratios = ", ".join(f"{name} {ratio:.2f}" for name, ratio in figures["scaling"].items())
    return (
        f"Speed-up of {figures['n_threads']} threads of one process over one thread, with concurrent batches as in the "
        f"workflow: {ratios}."
    )


def _accuracy(figures: dict[str, Any]) -> str:
    rows = [
        [
            name,
            f"{100 * row['error']:.2f} %",
            f"{row['median_db']:.3f}",
            f"{row['p99_db']:.2f}",
            f"{100 * row['error_at_tolerance_0.001']:.3f} %",
        ]
        for name, row in figures.items()
    ]
    header = ["", "error of the magnitude", "median, dB", "99th percentile, dB", "error with `tolerance: 0.001`"]
    return (
        "### Accuracy of the CWT\n\nThe reference is the whole spectrum of the mirrored window times the analytic "
        "spectrum of the wavelet in double precision, pooled over the cells by the root mean square. The error is the "
        "Frobenius norm of the difference, over all rows and columns, divided by the norm of the reference.\n\n"
        f"{table(header, rows)}"
    )


def _store(figures: dict[str, Any]) -> str:
    rows, longest = [], ""
    for name, runs in figures["store"].items():
        shorter, longest = list(runs)
        minutes = FULL_HOURS * 3600 / WINDOW_SECONDS / runs[longest]["per_second"] / 60
        peaks = [f"{runs[hours]['peak_mib']:.0f}" for hours in (shorter, longest)]
        rows.append([name, f"{runs[longest]['per_second']:.0f}", *peaks, f"{minutes:.0f} min"])
    header = [
        "",
        "windows per second",
        f"peak memory, {shorter}, MiB",
        f"peak memory, {longest}, MiB",
        "extrapolated to 1000 h",
    ]
    return (
        f"### A whole data set\n\n`write_spectrogram` reads {longest} of recordings (a repeated chunk of noise), "
        f"transforms them on {figures['n_threads']} threads and writes them to disk in half precision. Peak memory is "
        "that of the whole process, including torch; it does not depend on the size of the data set. The time for 1000 "
        f"hours (180,000 windows, 72 GB) is extrapolated.\n\n{table(header, rows)}"
    )


def _gpu(figures: dict[str, Any]) -> str:
    if not figures["gpu"]:
        return "### On a GPU\n\nNot measured: the machine has no GPU."
    rows = [
        [
            name,
            f"{row['windows_per_second']:.0f}",
            f"{100 * row['bandwidth_share']:.0f} %",
            f"{figures['gpu_store'][name]['per_second']:.0f}",
            f"{FULL_HOURS * 180 / figures['gpu_store'][name]['per_second'] / 60:.0f} min",
        ]
        for name, row in figures["gpu"].items()
    ]
    header = [
        "",
        "windows per second",
        "fraction of the memory bandwidth",
        "windows per second, to disk",
        "extrapolated to 1000 h",
    ]
    return (
        "### On a GPU\n\nThe times are synchronized. The fraction of the memory bandwidth assumes that the input is "
        "read once and the output written once, and takes a copy on the device as the maximum. The time for 1000 hours "
        f"is extrapolated.\n\n{table(header, rows)}"
    )
