"""Fine-tuning beside training from random weights: `python -m bench.fine_tuning --data HELSINKI --output FOLDER`.

A ViT is trained on a synthetic data set that is read as the Helsinki data set is (19 electrodes against their average,
the same windows and mel spectrograms). Trainings on Helsinki then start from its weights, and from random ones; both
have the same architecture, folds, seed, number of trials and range of learning rates.
"""

import argparse
from pathlib import Path
from typing import Any

from bench.workflow_runs import run_study
from eegwf.config.paths import Combination, RunPaths
from eegwf.evaluation.compared_runs import compare_runs
from eegwf.provenance.git import ROOT
from eegwf.storage.files import read_json

COMBINATION = Combination("vit", "mel", "2class")
HELSINKI = ROOT / "config" / "datasets" / "helsinki.yaml"
# The generated patients are independent, but filtered to 40 Hz, generalized seizures of two of them are similar.
SYNTHETIC = {"dataset": {"kind": "synthetic", "minutes": 2, "seizures": 2}, "max_similarity": 0.9}
SHOWN = ("balanced_accuracy", "auroc")
# Settings of the file that were chosen for another model.
INPUT: dict[str, Any] = {
    "windows": {"context": 0.0},
    "spectrograms": {"mel": {"n_freqs": 32, "n_frames": 32}},
    "training": {
        "epochs": 20,
        "patience": 8,
        "schedule_epochs": 20,
        "normalization": "patients",
        "patient_balance": "none",
        "label_smoothing": 0.0,
    },
}
ARCHITECTURE = {
    "patch_freqs": 8,
    "patch_times": 32,
    "heads": 2,
    "mlp_ratio": 2.0,
    "width": 32,
    "depth": 1,
    "pool": "max",
}
RATES = {"low": 3e-4, "high": 5e-3, "log": True}


def design(n_trials: int, n_best: int, **search: Any) -> dict[str, Any]:
    """Configuration that the three studies share, with a search space of training settings.

    Parameters
    ----------
    n_trials, n_best
        Trials of each fold, and parameter sets that are retrained.
    **search
        Hyperparameters that are searched besides the learning rate.

    Returns
    -------
    dict
        Sections of the configuration.
    """
    fixed_choices = {name: {"choices": [value]} for name, value in ARCHITECTURE.items()}
    return {
        **INPUT,
        "models": {"vit": {"search": {**fixed_choices, "lr": RATES, **search}}},
        "tuning": {"n_trials": n_trials, "n_startup_trials": min(n_trials, 5)},
        "retrain": {"n_best": n_best},
        "matrix": {"models": ["vit"], "spectrograms": ["mel"], "classes": ["2class"]},
    }


def report(random: RunPaths, fine_tuned: RunPaths) -> str:
    """Scores of both studies with their intervals, and their paired difference.

    Parameters
    ----------
    random, fine_tuned
        The studies.

    Returns
    -------
    str
        Three lines of a table.
    """
    runs = {"random weights": random, "fine-tuned": fine_tuned}
    metrics = {name: read_json(paths.metrics) for name, paths in runs.items()}
    lines = []
    for name, content in metrics.items():
        scores = content["members"][content["primary"]]
        cells = [f"{scores[key]['value']:.3f} [{scores[key]['low']:.3f}, {scores[key]['high']:.3f}]" for key in SHOWN]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    compared = compare_runs({name: (paths.predictions, metrics[name]) for name, paths in runs.items()})
    pair = compared.number_of("fine-tuned", "random weights")
    assert pair is not None, compared.skipped
    number, sign = pair
    tests = compared.tests
    low, high = sorted((sign * float(tests.low[number]), sign * float(tests.high[number])))
    difference = sign * float(tests.difference[number])
    p_patients, p_folds = float(tests.p_patients[number]), float(tests.p_folds[number])
    lines.append(
        f"difference of balanced accuracy, fine-tuned minus random weights: {difference:+.3f} [{low:+.3f}, "
        f"{high:+.3f}], p = {p_patients:.3f} over patients, {p_folds:.3f} over folds"
    )
    return "\n".join(lines)


def main() -> None:
    """Run the three studies and print their scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="root of the Helsinki data set in BIDS")
    parser.add_argument("--output", type=Path, required=True, help="folder of the results")
    parser.add_argument("--trials", type=int, default=8, help="trials of each fold")
    parser.add_argument("--ranks", type=int, default=3, help="parameter sets that are retrained")
    parser.add_argument("--cores", type=int, default=2, help="CPU cores")
    arguments = parser.parse_args()
    folder = arguments.output.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    budget = (arguments.trials, arguments.ranks)
    helsinki = {
        "dataset": {"kind": "bids", "root": str(arguments.data.resolve()), "event_types": ["bckg", "sz", "disputed"]}
    }

    def run(name: str, config: dict[str, Any], target: str = "metrics.json") -> RunPaths:
        return run_study(folder, name, COMBINATION, config, target, [HELSINKI], arguments.cores)

    source = run("synthetic", {**SYNTHETIC, **design(*budget)}, "final/models.json")
    random = run("random", {**helsinki, **design(*budget)})
    # The ids of the two data sets are assigned independently.
    start = {"init": str(source.folder), "init_same_ids": "different_persons"}
    space = design(*budget, frozen_fraction={"choices": [0.0, 0.5]})
    tuned = run("fine_tuned", {**helsinki, **space, "training": {**INPUT["training"], **start}})
    print(report(random, tuned))


if __name__ == "__main__":
    main()
