"""Numerical agreement of every model with the CPU."""

import os
from typing import Any

import numpy as np
import torch

from bench import study
from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import free_memory, relative_difference
from bench.gpu_sections.trainings import MODELS, configure
from eegwf.models.registry import entry_of, parameters_of

DROPOUTS = ("dropout", "attention_dropout", "drop_path")
TIMM_DROPOUTS = ("dropout", "drop_path")
MAX_LOGITS, MAX_GRADIENTS = 2e-4, 2e-3
"""Relative differences in float32 above which a line of the report is marked CHECK."""

Outputs = dict[str, torch.Tensor]


def exact(context: Context) -> None:
    """Compare logits and gradients of one training step without dropout, in float32 and bfloat16, with the CPU."""
    configure(context.device, "deterministic")
    torch.set_num_threads(min(8, os.cpu_count() or 1))
    for name in MODELS:
        with context.recorder.guard("exact", name):
            reference = _outputs(context, name, "cpu", "float32")
            figures = {}
            for precision in ("float32", "bfloat16"):
                outputs = _outputs(context, name, context.device, precision)
                figures[precision] = {key: relative_difference(outputs[key], reference[key]) for key in reference}
            context.recorder.put("exact", {name: figures})
            context.recorder.line(f"  {name}: {_verdict(figures)}")
        free_memory()
    with context.recorder.guard("exact", "settings of cuDNN in the LSTM"):
        _lstm_settings(context)


def _outputs(context: Context, name: str, device: str, precision: str) -> Outputs:
    """Logits of a few windows, and the gradients of one step, if the model is trained by gradient descent."""
    model, kind, parameters = MODELS[name]
    parameters = parameters | dict.fromkeys(_dropouts(model, parameters), 0.0)
    rows = np.arange(4 if context.quick else 16)
    loader = context.trainings.loader(kind, device)
    x, target = loader.read(rows), torch.arange(len(rows), device=device) % study.N_OUTPUTS
    if not entry_of(model, parameters).gradient_trained:
        return {"logits": _logits(study.classifier(model, loader, parameters), x)}
    trainer = study.trainer(model, loader, parameters, precision=precision)
    logits = _logits(trainer.classifier, x)
    trainer.classifier.train()
    trainer.step(x, target, trainer.patient[: len(rows)], 1e-3)
    gradients = [parameter.grad.flatten() for parameter in trainer.trainable if parameter.grad is not None]
    return {"logits": logits, "gradients": torch.cat(gradients)}


def _dropouts(model: str, parameters: dict[str, Any]) -> tuple[str, ...]:
    """Names of a model's dropout rates."""
    if "timm" in parameters:
        return TIMM_DROPOUTS
    names = parameters_of(entry_of(model, parameters))
    return tuple(name for name in DROPOUTS if name in names)


@torch.no_grad()
def _logits(classifier: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    logits: torch.Tensor = classifier.eval()(x)
    return logits.float()


def _verdict(figures: dict[str, dict[str, float]]) -> str:
    single, half = figures["float32"], figures["bfloat16"]
    passed = single["logits"] < MAX_LOGITS and single.get("gradients", 0.0) < MAX_GRADIENTS
    text = ", ".join(f"{key} {value:.1e}" for key, value in single.items())
    gradients = f"; bfloat16 gradients {half['gradients']:.1e}" if "gradients" in half else ""
    return f"float32 {text} {'ok' if passed else 'CHECK'}{gradients}"


def _lstm_settings(context: Context) -> None:
    """Record whether the settings of cuDNN are the same within the forward pass of the LSTM."""
    model, kind, parameters = MODELS["lstm"]
    loader = context.trainings.loader(kind, context.device)
    classifier, inside = study.classifier(model, loader, parameters), []
    classifier.network.lstm.register_forward_hook(lambda *_: inside.append(_cudnn_settings()))
    _logits(classifier, loader.read(np.arange(4)))
    kept = inside == [_cudnn_settings()]
    context.recorder.put("exact", {"cudnn_settings_in_lstm": inside[0], "cudnn_settings_kept": kept})
    context.recorder.line(f"  settings of cuDNN in the LSTM: {'kept, ok' if kept else f'{inside[0]}, CHECK'}")


def _cudnn_settings() -> dict[str, bool]:
    return {name: getattr(torch.backends.cudnn, name) for name in ("benchmark", "deterministic", "allow_tf32")}
