"""The figures of training as part of the page."""

from bench.tables import measured_on, table
from bench.training import CUT, CUT_ALIKE, LOADER, OURS

TERA, GIGA, MEGA = 1e12, 1e9, 1e6


def training(found: dict) -> list[str]:
    """Markdown of everything that was measured of training."""
    sizes, cpu, gpu = found["sizes"], found["cpu"], found["gpu"]
    return [
        "## Training",
        measured_on(found["machine"]),
        _models(cpu, sizes, "one thread of the CPU"),
        _contenders(found),
        *(_beside(cpu[key], number) for key, number in (("one_thread", 1), ("all_threads", found["n_threads"]))),
        _packing(cpu["packing"], "threads of the CPU, one each,"),
        *(_gpu(gpu, sizes, found["workers"]) if gpu else ["### Training on a GPU\n\nThere was none: not measured."]),
    ]


def _models(part: dict, sizes: dict, place: str) -> str:
    rows = [
        [
            name,
            f"{figures['parameters']:,}",
            f"{figures['training']:.0f}" if "training" in figures else "",
            f"{figures['forward']:.0f}",
            f"{figures['peak_mib']:.0f}",
        ]
        for name, figures in part["models"].items()
    ]
    header = ["", "parameters", "windows a second, training", "forward only", "peak memory, MiB"]
    return (
        f"### Every model, on {place}\n\nWindows of {sizes['n_chans']} channels x {sizes['n_freqs']} frequencies x "
        f"{sizes['n_frames']} times (the time series: {sizes['n_chans']} x {sizes['n_times']} samples at "
        f"{sizes['sfreq']:g} Hz), {sizes['n_outputs']} classes, {sizes['batch']} windows a step; the models as they "
        f"are without parameters of the config. Training is an epoch of {part['n_windows']} windows without its "
        "validation: reading, normalisation and the optimizer are part of it. Forward only is what validation and "
        "prediction do, in single precision. Peak memory is that of training, beyond what the libraries and the "
        "windows take; bandpower is not trained by steps.\n\n"
        f"{table(header, rows)}"
    )


def _contenders(found: dict) -> str:
    vit, sizes = found["sizes"]["vit"], found["sizes"]
    side = f"{sizes['side']} x {sizes['side']}"
    return (
        f"### The trainer beside loops written by hand\n\nA ViT with patches of {vit['patch']} x {vit['patch']}, width "
        f"{vit['width']}, {vit['depth']} blocks, {vit['heads']} heads, a hidden layer {vit['mlp_ratio']:g} times as "
        f"wide, and dropout {vit['dropout']:g}; {found['cpu']['n_windows']} windows an epoch, {sizes['batch']} a step; "
        "no validation.\n\n"
        f"- `{OURS}`: the trainer's epoch on a file of half-precision windows.\n"
        f"- `{CUT}`: float32 windows in memory, normalised beforehand; a Python loop cuts the patches image by image "
        "and stacks them; torch's Linear and TransformerEncoder, mean pooling, AdamW as it comes; loss and accuracy "
        "are asked for at every step. torch's layer drops attention, too.\n"
        f"- `{CUT_ALIKE}`: the same, with the dropout that ours has.\n"
        f"- `{LOADER}`: the same array through torch's DataLoader into timm's VisionTransformer, AdamW as it comes, "
        "loss asked for at every step.\n\n"
        f"The product that the CPU is judged by is that of two {side} matrices in float32."
    )


def _beside(found: dict, n_threads: int) -> str:
    rows = [
        [name, f"{figures['windows_per_second']:.1f}", _times(figures["ours_faster"])]
        for name, figures in found["contenders"].items()
    ]
    ours = found["contenders"][OURS]["flops_per_second"]
    title = "One thread" if n_threads == 1 else f"{n_threads} threads"
    return (
        f"#### {title}\n\n{table(['', 'windows a second', 'ours is faster, times'], rows)}\n\n"
        f"A window takes {found['flops_per_window'] / MEGA:.0f} million floating-point operations, forward and "
        f"backward; ours does {ours / GIGA:.0f} GFLOP/s, {100 * found['product_share']:.0f} % of the "
        f"{found['product_flops_per_second'] / GIGA:.0f} GFLOP/s of the large product."
    )


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _packing(found: dict, place: str) -> str:
    speeds = found["windows_per_second"]
    return (
        f"### Several trainings at once\n\n{found['trainings']} trainings of the small `vit` in {place} of one process "
        f"are {found['faster']:.2f} times as fast as one after the other ({speeds['at once']:.0f} against "
        f"{speeds['in turn']:.0f} windows a second in all)."
    )


def _gpu(found: dict, sizes: dict, workers: int) -> list[str]:
    peak = found["peak_flops_per_second"]
    limit = f"its peak, {peak / TERA:.0f} TFLOP/s in dense bfloat16" if peak else "its peak, which is not known here"
    return [
        "### Training on a GPU\n\nSynchronised. Ours computes as the workflow's jobs do: bit-exactly reproducible, "
        "bfloat16 where the GPU has units for it, TF32 for what that leaves, windows held on the GPU; each of these "
        f"choices is made otherwise in a row of its own. The loops have torch's defaults, the data loader {workers} "
        f"workers and pinned memory. The share is that of {limit}, of the operations which the model needs.",
        _models(found, sizes, "the GPU").replace("###", "####", 1),
        *(_batches(size, part, found) for size, part in found["batches"].items()),
        _packing(found["packing"], "threads, each with a stream of the GPU,").replace("###", "####", 1),
    ]


def _batches(size: str, part: dict, found: dict) -> str:
    peak, rows = found["peak_flops_per_second"], []
    for name, figures in part["contenders"].items():
        share = figures["flops_per_second"] / peak if peak and "flops_per_second" in figures else None
        rows.append(
            [
                name,
                f"{figures['windows_per_second']:.0f}",
                _times(figures["ours_faster"]),
                "" if share is None else f"{100 * share:.1f} %",
            ]
        )
    header = ["", "windows a second", "ours is faster, times", "share of the peak"]
    return f"#### {size} windows a step\n\n{found['n_windows']} windows an epoch.\n\n{table(header, rows)}"
