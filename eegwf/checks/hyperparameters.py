"""Check of hyperparameters: whether models can be made with them, and whether settings of trainings fit together."""

from pathlib import Path
from typing import Any

from eegwf.checks.findings import Findings
from eegwf.compute.deferred_compiler import defer_compiler
from eegwf.config.load import load_study
from eegwf.config.study import Study
from eegwf.config.tuning import Model
from eegwf.dag.flow import Flow
from eegwf.models.registry import entry_of
from eegwf.plan.sizes import EXPECTED_CHANNELS, EXPECTED_SFREQ

# In the checkout; an installation without it has no default configuration.
DEFAULT = Path(__file__).resolve().parents[2] / "config" / "config.yaml"
N_OUTPUTS = 2


def check_hyperparameters(flow: Flow, findings: Findings) -> None:
    """Make every model of the matrix with its hyperparameters, without allocating its weights.

    Parameters
    ----------
    flow
        The study.
    findings
        Receives the lines: a problem if no trial of a model is possible, a warning if some are not.

    Notes
    -----
    Each hyperparameter takes its choices, or both ends of its range, while the others have their first value.
    Networks accept any size of the input, so that one spectrogram for each model, besides `raw`, is sufficient, and
    the number of channels need not be known. torch, which needs seconds to import, is imported only for models whose
    hyperparameters differ from those of the default configuration.
    """
    shipped = load_study(DEFAULT).models if DEFAULT.exists() else {}
    inputs: dict[tuple[str, bool], str] = {}
    for combination in flow.combinations.all:
        inputs.setdefault((combination.model, combination.spectrogram == "raw"), combination.spectrogram)
    for (model, _), spectrogram in inputs.items():
        if model in shipped and flow.study.models[model] == shipped[model]:
            continue
        shape, axes = _input_of(flow.study, spectrogram)
        _check_model(model, flow.study.models[model], shape, axes, findings)
    for model in dict.fromkeys(model for model, _ in inputs):
        _check_frozen(model, flow.study, findings)


def _check_model(model: str, space: Model, shape: dict[str, int], axes: dict[str, Any], findings: Findings) -> None:
    values = space.hyperparameter_values()
    first = {place.partition(".")[2]: choices[0] for place, choices in values.items()}
    fault = _fault(model, shape, first, axes)
    others = [(place, value) for place, choices in values.items() for value in choices[1:]]
    faults = {
        (place, value): _fault(model, shape, {**first, place.partition(".")[2]: value}, axes) for place, value in others
    }
    if fault and all(faults.values()):
        findings.problems.append(f"models.{model}: no trial is possible, for example: {fault}")
    elif fault:
        findings.warnings.append(f"models.{model}: some trials would fail: {fault}")
    else:
        findings.warnings += [
            f"models.{model}.{place}: trials with {value} would fail: {found}"
            for (place, value), found in faults.items()
            if found
        ]


def _fault(model: str, shape: dict[str, int], parameters: dict[str, Any], axes: dict[str, Any]) -> str:
    """Why a model can't be made with hyperparameters; empty if it can."""
    defer_compiler()
    from eegwf.models.registry import build
    from eegwf.models.tensors import tensor_shapes  # imports torch

    try:
        # The classical models have few weights, and some compute with them.
        make = tensor_shapes if entry_of(model, parameters).gradient_trained else build
        make(model, shape, parameters, axes)
    except ValueError as error:
        return str(error)
    return ""


def _input_of(study: Study, spectrogram: str) -> tuple[dict[str, int], dict[str, Any]]:
    """Shape and axes of an input, with the expected sampling rate and number of channels where they are not set."""
    sfreq = study.signals.target_sfreq(EXPECTED_SFREQ)
    if spectrogram == "raw":
        n_times = round((study.windows.length + 2 * study.windows.context) * sfreq)
        shape = {"n_chans": EXPECTED_CHANNELS, "n_freqs": 1, "n_frames": n_times, "n_outputs": N_OUTPUTS}
        return shape, {"sfreq": sfreq, "freqs": None}
    grids = study.spectrograms.grids(spectrogram).by_name
    grid = next(iter(grids.values()))
    step = (grid.f_max - grid.f_min) / max(grid.n_freqs - 1, 1)
    freqs = [grid.f_min + number * step for number in range(grid.n_freqs)]
    shape = {
        "n_chans": EXPECTED_CHANNELS * len(grids),
        "n_freqs": grid.n_freqs,
        "n_frames": grid.n_frames,
        "n_outputs": N_OUTPUTS,
    }
    return shape, {"sfreq": sfreq, "freqs": freqs}


def _check_frozen(model: str, study: Study, findings: Findings) -> None:
    """Find frozen layers whose weights would be random."""
    space, training = study.models[model], study.training
    place, fractions = space.setting_values("frozen_fraction", training.frozen_fraction)
    _, epochs = space.setting_values("pretrain_epochs", training.pretrain_epochs)
    if not any(fractions) or training.init or all(epochs) or any(space.values_of("pretrained")):
        return
    key = ".".join(("models", model, *place)) if place else "training.frozen_fraction"
    findings.problems.append(
        f"{key}: layers of {model} would keep random weights; set training.init, pretrained or pretrain_epochs, or "
        "remove it"
    )
