"""Comparison of two trainings from the same random seed."""

import warnings
from typing import Any

from bench import study
from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import digest, free_memory
from bench.gpu_sections.trainings import AUGMENTATION, LABELS, MODELS, TRAINED, Determinism, configure, limit_epoch
from bench.study import ModelSetup

Setup = tuple[ModelSetup, dict[str, Any]]


def setups() -> dict[str, Setup]:
    """Models and training settings that are compared."""
    plain: dict[str, Setup] = {name: (MODELS[name], {}) for name in TRAINED}
    return {
        **plain,
        "lstm, 2 layers": (("lstm", "mel", {"layers": 2, "dropout": 0.3}), {}),
        "vit, augmented": (MODELS["vit"], AUGMENTATION),
    }


def repeat(context: Context) -> None:
    """Compare the weights of two trainings from one random seed, by determinism, and record the warnings of torch."""
    for determinism, label in LABELS.items():
        for name, setup in setups().items():
            with context.recorder.guard("repeat", f"{name}, {label}"):
                same, operations = _train_twice(context, setup, determinism)
                key = f"{name}, {label}"
                context.recorder.put("repeat", {key: {"same": same, "warned": operations}})
                verdict = "same bytes" if same else "DIFFERENT BYTES"
                if determinism == "free" and not same:
                    verdict = "different bytes, as expected"
                warned = f"; torch warns of {', '.join(operations)}" if operations else ""
                context.recorder.line(f"  {key}: {verdict}{warned}")
            free_memory()


def _train_twice(context: Context, setup: Setup, determinism: Determinism) -> tuple[bool, list[str]]:
    """Whether both trainings have the same weights and loss; operations that torch reports as nondeterministic."""
    (model, kind, parameters), settings = setup
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        configure(context.device, determinism)
        results = []
        for _ in range(2):
            trainer = study.trainer(model, context.trainings.loader(kind), parameters, **settings)
            limit_epoch(trainer, 16 if context.quick else 160)
            history: list[dict[str, Any]] = []
            for _ in range(1 if context.quick else 2):
                history.append(trainer.epoch(history) | {"balanced_accuracy": 0.0})
            weights = digest(trainer.validated_classifier.state_dict().values())
            results.append((weights, history[-1]["train_loss"]))
    messages = [str(warning.message) for warning in caught]
    operations = sorted({message.split(" ")[0] for message in messages if "deterministic" in message})
    return results[0] == results[1], operations
