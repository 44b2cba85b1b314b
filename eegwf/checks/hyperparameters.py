"""Check of hyperparameters: whether models can be made with them, and whether settings of trainings fit together."""

from collections.abc import Callable, Mapping, Sequence
from textwrap import shorten
from typing import Any

import numpy as np

from eegwf.checks.findings import Findings
from eegwf.compute.deferred_compiler import defer_compiler
from eegwf.config.load import load_study
from eegwf.config.study import Study
from eegwf.config.tuning import Model
from eegwf.dag.flow import Flow
from eegwf.dag.flow_reading import DEFAULT_CONFIG
from eegwf.models.registry import entry_of, parameters_of
from eegwf.plan.sizes import EXPECTED_CHANNELS, EXPECTED_SFREQ

N_OUTPUTS = 2
N_DRAWS = 100
"""Sets of values that are drawn to find a possible one."""


def check_hyperparameters(flow: Flow, findings: Findings) -> None:
    """Make the models of the matrix with their hyperparameters, without allocating their weights.

    Parameters
    ----------
    flow
        The study.
    findings
        Receives the lines: a problem if no trial of a model is possible, a warning if some are not.

    Notes
    -----
    Each hyperparameter takes its choices, or both ends of its range, while the others have values that are possible.
    Networks accept any size of the input, so that one spectrogram for each model, besides `raw`, is sufficient, and
    the number of channels need not be known. torch, which needs seconds to import, is imported only for models whose
    hyperparameters, or for the classical ones whose inputs, differ from those of the default configuration. Given
    arrays have other shapes than the configuration, so that no model is made for them.
    """
    shipped = load_study(DEFAULT_CONFIG) if DEFAULT_CONFIG.exists() else None
    inputs: dict[tuple[str, bool], str] = {}
    for combination in flow.combinations.all:
        inputs.setdefault((combination.model, combination.spectrogram == "raw"), combination.spectrogram)
    for (model, _), spectrogram in inputs.items():
        if flow.kind != "fold_arrays" and not _as_shipped(model, flow.study, shipped):
            shape, axes = _input_of(flow.study, spectrogram)
            _check_model(model, flow.study.models[model], shape, axes, findings)
    for model in dict.fromkeys(model for model, _ in inputs):
        _check_frozen(model, flow.study, findings)


def _as_shipped(model: str, study: Study, shipped: Study | None) -> bool:
    """Whether a model is that of the default configuration, which is tested."""
    if shipped is None or study.models[model] != shipped.models.get(model):
        return False
    # Bands of classical models can be without a frequency of the input.
    same_input = all(getattr(study, name) == getattr(shipped, name) for name in ("signals", "windows", "spectrograms"))
    return same_input or entry_of(model, study.models[model].fixed).gradient_trained


def _check_model(model: str, space: Model, shape: dict[str, int], axes: dict[str, Any], findings: Findings) -> None:
    values = space.hyperparameter_values()
    choices = {place.partition(".")[2]: found for place, found in values.items()}

    def fault_of(parameters: dict[str, Any]) -> str:
        return _fault(model, shape, parameters, axes)

    base, first_fault = _possible(choices, fault_of)
    if base is None:
        findings.problems.append(f"models.{model}: no trial is possible, for example: {first_fault}")
        return
    for place, found in values.items():
        name = place.partition(".")[2]
        for value in found:
            if value != base[name] and (fault := fault_of({**base, name: value})):
                findings.warnings.append(f"models.{model}.{place}: trials with {value} can fail: {fault}")


def _possible(
    choices: Mapping[str, Sequence[Any]], fault_of: Callable[[dict[str, Any]], str]
) -> tuple[dict[str, Any] | None, str]:
    """A set of values with which a model can be made, and the fault of the first set; None if none is found."""
    first = {name: values[0] for name, values in choices.items()}
    fault = fault_of(first)
    if not fault:
        return first, ""
    rng = np.random.default_rng(0)
    for _ in range(N_DRAWS):
        drawn = {name: values[int(rng.integers(len(values)))] for name, values in choices.items()}
        if not fault_of(drawn):
            return drawn, fault
    return None, fault


def _fault(model: str, shape: dict[str, int], parameters: dict[str, Any], axes: dict[str, Any]) -> str:
    """Why a model can't be made with hyperparameters, in one line; empty if it can."""
    defer_compiler()
    from eegwf.models.registry import build
    from eegwf.models.tensors import tensor_shapes  # imports torch

    entry = entry_of(model, parameters)
    needs_name = parameters.get("pretrained") and "architecture" in parameters_of(entry)
    # The classical models have few weights, and some compute with them; `build` refuses pretrained weights of no
    # architecture, which `tensor_shapes` ignores.
    unnamed = needs_name and not parameters.get("architecture")
    make = build if unnamed or not entry.gradient_trained else tensor_shapes
    try:
        make(model, shape, parameters, axes)
    except ValueError as error:
        return shorten(" ".join(str(error).split()), 300, placeholder=" ...")
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
    if not any(fractions) or training.init or not entry_of(model, space.fixed).gradient_trained:
        return
    _, epochs = space.setting_values("pretrain_epochs", training.pretrain_epochs)
    pretrained = space.values_of("pretrained") or [False]
    if all(epochs) or all(pretrained):
        return
    key = ".".join(("models", model, *place)) if place else "training.frozen_fraction"
    line = (
        f"{key}: layers of {model} would keep random weights{{}}; set training.init, pretrained or pretrain_epochs, or "
        "remove it"
    )
    if all(fractions) and not any(epochs) and not any(pretrained):
        findings.problems.append(line.format(""))
    else:
        findings.warnings.append(line.format(" in some trials, which would fail"))
