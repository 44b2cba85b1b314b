"""The part of docs/benchmarks.md about training."""

from typing import Any

from bench.contenders import DATA_LOADER, EEGWF, PATCH_LOOP, PATCH_LOOP_SAME_DROPOUT
from bench.tables import measured_on, table

TERA, GIGA, MEGA = 1e12, 1e9, 1e6


def training(figures: dict[str, Any]) -> list[str]:
    """Markdown paragraphs of all figures of training."""
    sizes, cpu, gpu = figures["sizes"], figures["cpu"], figures["gpu"]
    return [
        "## Training",
        measured_on(figures["machine"]),
        _models(cpu, sizes, "one thread of the CPU"),
        _contenders(figures),
        *(_comparison(cpu[key], number) for key, number in (("one_thread", 1), ("all_threads", figures["n_threads"]))),
        _packing(cpu["packing"], "on one CPU thread each"),
        *(
            _gpu(gpu, sizes, figures["workers"])
            if gpu
            else ["### Training on a GPU\n\nNot measured: the machine has no GPU."]
        ),
    ]


def _models(part: dict[str, Any], sizes: dict[str, Any], device: str) -> str:
    rows = [
        [
            name,
            f"{row['parameters']:,}",
            f"{row['training']:.0f}" if "training" in row else "",
            f"{row['forward']:.0f}",
            f"{row['peak_mib']:.0f}",
        ]
        for name, row in part["models"].items()
    ]
    header = ["", "parameters", "windows per second, training", "windows per second, prediction", "peak memory, MiB"]
    return (
        f"### Every model, on {device}\n\nWindows have {sizes['n_chans']} channels x {sizes['n_freqs']} frequencies x "
        f"{sizes['n_frames']} frames (time series: {sizes['n_chans']} channels x {sizes['n_times']} samples at "
        f"{sizes['sfreq']:g} Hz) and {sizes['n_outputs']} classes; the batch size is {sizes['batch']}; the models have "
        f"their default hyperparameters. Training is an epoch of {part['n_windows']} windows without validation, "
        "including reading, normalization and the optimizer. Prediction is the forward pass of validation and "
        "evaluation, in single precision. Peak memory is that of training, without the loaded libraries and the "
        "windows; bandpower is not trained by gradient descent.\n\n"
        f"{table(header, rows)}"
    )


def _contenders(figures: dict[str, Any]) -> str:
    vit, sizes = figures["sizes"]["vit"], figures["sizes"]
    side = f"{sizes['side']} x {sizes['side']}"
    return (
        f"### The trainer and handwritten loops\n\nThe model is a ViT with patches of {vit['patch']} x {vit['patch']}, "
        f"width {vit['width']}, {vit['depth']} blocks, {vit['heads']} heads, a hidden layer of {vit['mlp_ratio']:g} "
        f"times the width, and dropout {vit['dropout']:g}. An epoch has {figures['cpu']['n_windows']} windows, the "
        f"batch size is {sizes['batch']}, and there is no validation.\n\n"
        f"- `{EEGWF}`: an epoch of the trainer on a file of windows in half precision.\n"
        f"- `{PATCH_LOOP}`: float32 windows in memory, normalized beforehand; a Python loop cuts the patches image by "
        "image and stacks them; torch's Linear and TransformerEncoder, mean pooling, AdamW with default settings; loss "
        "and accuracy are read at every step. torch's layer also applies dropout to the attention.\n"
        f"- `{PATCH_LOOP_SAME_DROPOUT}`: the same, with the dropout of the trainer's ViT.\n"
        f"- `{DATA_LOADER}`: the same array through torch's DataLoader, timm's VisionTransformer, AdamW with default "
        "settings; the loss is read at every step.\n\n"
        f"The reference for the CPU is the product of two {side} matrices in float32."
    )


def _comparison(figures: dict[str, Any], n_threads: int) -> str:
    rows = [
        [name, f"{row['windows_per_second']:.1f}", _ratio(row["ours_faster"])]
        for name, row in figures["contenders"].items()
    ]
    speed = figures["contenders"][EEGWF]["flops_per_second"]
    title = "One thread" if n_threads == 1 else f"{n_threads} threads"
    return (
        f"#### {title}\n\n{table(['', 'windows per second', 'speed-up of eegwf'], rows)}\n\n"
        f"The forward and backward pass of a window takes {figures['flops_per_window'] / MEGA:.0f} million "
        f"floating-point operations; the trainer computes {speed / GIGA:.0f} GFLOP/s, "
        f"{100 * figures['product_share']:.0f} % of the {figures['product_flops_per_second'] / GIGA:.0f} GFLOP/s of "
        "the matrix product."
    )


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _packing(figures: dict[str, Any], threads: str) -> str:
    speeds = figures["windows_per_second"]
    return (
        f"### Concurrent trainings\n\n{figures['trainings']} concurrent trainings of the default `vit` in threads of "
        f"one process, {threads}, are {figures['faster']:.2f} times as fast as the same trainings one after the other "
        f"({speeds['at once']:.0f} and {speeds['in turn']:.0f} windows per second in total)."
    )


def _gpu(figures: dict[str, Any], sizes: dict[str, Any], workers: int) -> list[str]:
    peak = figures["peak_flops_per_second"]
    maximum = f"{peak / TERA:.0f} TFLOP/s in dense bfloat16" if peak else "which is not known for this GPU"
    return [
        "### Training on a GPU\n\nThe times are synchronized. The trainer computes as the jobs of the workflow do: "
        "reproducible byte for byte, bfloat16 where the GPU supports it in hardware, float32 without TF32 elsewhere, "
        "windows resident on the GPU; each of these choices is changed in a row of its own. The handwritten loops use "
        f"the default settings of torch, the data loader {workers} workers and pinned memory. The fraction of the peak "
        f"({maximum}) counts the operations that the model needs.",
        _models(figures, sizes, "the GPU").replace("###", "####", 1),
        *(_batches(size, part, figures) for size, part in figures["batches"].items()),
        _packing(figures["packing"], "with one GPU stream each").replace("###", "####", 1),
    ]


def _batches(size: str, part: dict[str, Any], figures: dict[str, Any]) -> str:
    peak, rows = figures["peak_flops_per_second"], []
    for name, row in part["contenders"].items():
        share = row["flops_per_second"] / peak if peak and "flops_per_second" in row else None
        rows.append(
            [
                name,
                f"{row['windows_per_second']:.0f}",
                _ratio(row["ours_faster"]),
                "" if share is None else f"{100 * share:.1f} %",
            ]
        )
    header = ["", "windows per second", "speed-up of eegwf", "fraction of the peak"]
    return f"#### Batch size {size}\n\n{figures['n_windows']} windows per epoch.\n\n{table(header, rows)}"
