"""The figures as a page: docs/benchmarks.md."""

from bench.page_training import training
from bench.spectrograms import OURS, RIVALS
from bench.tables import measured_on, table

FULL_HOURS = 1000
ABOUT = (
    "This page is written by `make bench`; the same figures stand in `benchmarks.json`. Contenders take turns in one "
    "process, and a ratio is the median of the ratios within a turn: the machine's speed drifts, and the windows a "
    "second drift with it."
)


def page(found: dict) -> str:
    """Markdown of everything that was measured."""
    parts = ["# Benchmarks", ABOUT]
    parts += _spectrograms(found["spectrograms"], found["machine"]) if "spectrograms" in found else []
    parts += training(found["training"]) if "training" in found else []
    return "\n\n".join(parts) + "\n"


def _spectrograms(found: dict, machine: dict) -> list[str]:
    return [
        "## Spectrograms",
        measured_on(machine),
        "One window is 20 channels of 5120 samples (20 s at 256 Hz); the result has 100 x 100 cells a channel. Ours "
        "is in dB, in single precision, 16 windows a call, as the workflow does it, or one. The others get one window, "
        "all channels in one call where they can, float32 unless it says otherwise (float64 is what MNE reads, and "
        "what PyWavelets then computes in). Wavelet coefficients are pooled to the same grid by root mean square; "
        "SciPy and librosa give power at a hop of 51 samples, SciPy for 129 frequencies.",
        *(_speed(found, key, number) for key, number in (("one_thread", 1), ("all_threads", found["n_threads"]))),
        _scaling(found),
        _accuracy(found["accuracy"]),
        _store(found),
        _gpu(found),
    ]


def _speed(found: dict, key: str, number: int) -> str:
    title = "### One thread" if number == 1 else f"### {number} threads"
    rows = []
    for name in OURS:
        mine = f"eegwf {name}"
        for call in (mine, f"{mine}, one window a call", *RIVALS[name]):
            if call not in found[key]:
                continue
            figures = found[key][call]
            ratio, single = figures["ours_faster"], figures["ours_single_faster"]
            peak = found["peak_mib"].get(call)
            rows.append(
                [
                    call,
                    f"{figures['windows_per_second']:.1f}",
                    f"{ratio:.1f}" if ratio else "",
                    f"{single:.1f}" if single else "",
                    f"{peak:.0f}" if peak is not None else "",
                ]
            )
    header = ["", "windows a second", "ours is faster, times", "with one window a call, times", "peak memory, MiB"]
    note = (
        "Peak memory is that of one window, beyond what the libraries take when they are loaded."
        if number == 1
        else "Threads within a call, of torch and of SciPy's FFT; the others have none."
    )
    return f"{title}\n\n{table(header, rows)}\n\n{note}"


def _scaling(found: dict) -> str:
    ratios = ", ".join(f"{name} {ratio:.2f}" for name, ratio in found["scaling"].items())
    return (
        f"Batches side by side on {found['n_threads']} threads of one process, as the workflow has them, against one "
        f"thread, times faster: {ratios}."
    )


def _accuracy(found: dict) -> str:
    rows = [
        [
            name,
            f"{100 * figures['error']:.2f} %",
            f"{figures['median_db']:.3f}",
            f"{figures['p99_db']:.2f}",
            f"{100 * figures['error_at_tolerance_0.001']:.3f} %",
        ]
        for name, figures in found.items()
    ]
    header = ["", "error of the magnitude", "median, dB", "99 of 100 cells, dB", "error at `tolerance: 0.001`"]
    return (
        "### How exact the CWT is\n\nAgainst the whole spectrum of the mirrored window times the wavelet's analytic "
        "spectrum in double precision, pooled over the cells by root mean square; all rows and columns, norm of the "
        f"difference over the norm (Frobenius).\n\n{table(header, rows)}"
    )


def _store(found: dict) -> str:
    rows, longest = [], ""
    for name, runs in found["store"].items():
        shorter, longest = list(runs)
        whole = FULL_HOURS * 3600 / 20 / runs[longest]["per_second"] / 60
        peaks = [f"{runs[hours]['peak_mib']:.0f}" for hours in (shorter, longest)]
        rows.append([name, f"{runs[longest]['per_second']:.0f}", *peaks, f"{whole:.0f} min"])
    header = [
        "",
        "windows a second",
        f"peak memory, {shorter}, MiB",
        f"peak memory, {longest}, MiB",
        "1000 h would take",
    ]
    return (
        f"### A whole data set\n\n`write_spectrogram`, {longest} of recordings read, transformed on "
        f"{found['n_threads']} threads and written to disk in half precision (a chunk of noise repeated). Peak memory "
        "is that of the whole process, torch included; it does not grow with the set. The time for 1000 hours (180,000 "
        f"windows, 72 GB) is extrapolated.\n\n{table(header, rows)}"
    )


def _gpu(found: dict) -> str:
    if not found["gpu"]:
        return "### On a GPU\n\nThere was none: not measured."
    rows = [
        [
            name,
            f"{figures['windows_per_second']:.0f}",
            f"{100 * figures['bandwidth_share']:.0f} %",
            f"{found['gpu_store'][name]['per_second']:.0f}",
            f"{FULL_HOURS * 180 / found['gpu_store'][name]['per_second'] / 60:.0f} min",
        ]
        for name, figures in found["gpu"].items()
    ]
    header = ["", "windows a second", "of the memory bandwidth", "windows a second, to disk", "1000 h would take"]
    return (
        "### On a GPU\n\nSynchronised. The share of the bandwidth takes the input once and the output once as the "
        f"least that must move, and a copy on the device as the limit. 1000 hours are extrapolated.\n\n"
        f"{table(header, rows)}"
    )
