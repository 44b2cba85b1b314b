"""Generalization between patients, one part switched at a time: `python -m bench.generalization --output FOLDER`.

A network with shared weights is trained on two cohorts: synthetic patients with different amplifiers and electrodes,
and, with `--data`, the Helsinki data set. Each variant changes one part of the reference configuration. All variants
have the same folds and fixed hyperparameters, so that nothing is chosen; a fold is tested by the ensemble of five
random seeds. The classical models and the ViT of the former default, with `normalization: patients`, are tuned on
validation patients as usual. Finished studies are kept, so that an interrupted bench continues.
"""

import argparse
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from bench.figures import DOCS, machine, read_figures, write_figures
from bench.tables import table
from bench.workflow_runs import run_study
from eegwf.config.layers import merge
from eegwf.config.paths import Combination, RunPaths
from eegwf.evaluation.compared_runs import RunComparison, compare_runs
from eegwf.provenance.git import ROOT
from eegwf.storage.files import read_json

CLASSES = "2class"
REFERENCE, BASELINE, DEFAULT = "reference", "bandpower", "vit of the former default"
AMPLIFIERS = {"gain_spread": 3.0, "tilt_spread": 1.0, "electrode_spread": 1.5}
COHORTS: dict[str, tuple[list[Path], dict[str, Any]]] = {
    "synthetic": (
        [],
        {
            "dataset": {"kind": "synthetic", "minutes": 3, "seizures": 2, "amplifier": AMPLIFIERS},
            "windows": {"length": 4, "step": 4},
            "folds": 3,
        },
    ),
    "helsinki": ([ROOT / "config" / "datasets" / "helsinki.yaml"], {}),
}
HELSINKI = {"kind": "bids", "event_types": ["bckg", "sz", "disputed"]}
# A coarse grid keeps the bench short; its frequencies are those of the cohort.
GRID = {"n_freqs": 24, "n_frames": 16}
# Settings of config/config.yaml that the file of a cohort changes.
DEFAULT_INPUT: dict[str, Any] = {
    "windows": {"context": 0.0},
    "spectrograms": {"mel": {"n_freqs": 32, "n_frames": 32}},
    "training": {
        "epochs": 8,
        "patience": 4,
        "normalization": "patients",
        "patient_balance": "none",
        "label_smoothing": 0.0,
    },
}
NETWORK = {"filters": 8, "stages": 2, "width": 32, "pool": "statistics", "dropout": 0.3, "lr": 2e-3}
TUNED = {"tuning": {"n_trials": 8}, "retrain": {"n_best": 3}}


@dataclass(frozen=True)
class Variant:
    """A study of the bench.

    Attributes
    ----------
    name
        Line of the table.
    model, spectrogram
        Combination.
    fixed, training
        Changes of the hyperparameters and of the section `training` of the reference.
    config
        Changes of other sections.
    tuned
        Whether the model has the search space of the configuration, instead of the fixed hyperparameters.
    """

    name: str
    model: str = "sharedcnn"
    spectrogram: str = "mel"
    fixed: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    tuned: bool = False

    @property
    def combination(self) -> Combination:
        """Model, spectrogram and class set."""
        return Combination(self.model, self.spectrogram, CLASSES)

    @property
    def folder(self) -> str:
        """Name of its results folder."""
        return "".join(letter if letter.isalnum() else "_" for letter in self.name)

    def configuration(self, seed: int) -> dict[str, Any]:
        """Configuration that is added to that of the cohort."""
        sections: dict[str, Any] = {"seed": seed, "windows": {"context": 4.0}, "matrix": self._matrix()}
        if self.name != DEFAULT:
            sections["spectrograms"] = {name: GRID for name in ("mel", "stft", "acf")}
        if self.tuned:
            return reduce(merge, (TUNED, self.config), sections)
        training = {"epochs": 12, "patience": 12, "normalization": "level", "patient_balance": "sqrt", **self.training}
        search = {name: {"choices": [value]} for name, value in {**NETWORK, **self.fixed}.items()}
        model = {"models": {self.model: {"search": search}}}
        # The trial decides nothing; the epochs of retraining are chosen by the validation patients, as usual.
        budget = {
            "tuning": {"n_trials": 1, "n_startup_trials": 1},
            "retrain": {"n_best": 1, "n_seeds": 5},
        }
        return reduce(merge, ({"training": training, **model, **budget}, self.config), sections)

    def _matrix(self) -> dict[str, Any]:
        return {"models": [self.model], "spectrograms": [self.spectrogram], "classes": [CLASSES]}


VARIANTS = [
    Variant(REFERENCE),
    Variant("normalization: patients", training={"normalization": "patients"}),
    Variant("normalization: window", training={"normalization": "window"}),
    Variant("normalization: recording", training={"normalization": "recording"}),
    Variant("without context", config={"windows": {"context": 0.0}}),
    Variant("acf instead of mel", spectrogram="acf"),
    Variant(
        "two scales", spectrogram="concat", config={"spectrograms": {"concat": ["mel", "stft"], "mel": {"span": 4}}}
    ),
    Variant("without balance of patients", training={"patient_balance": "none"}),
    Variant("mixstyle", training={"mixstyle_alpha": 0.1}),
    Variant("average of the last epochs", training={"swa_epochs": 4}),
    Variant("pretraining", training={"pretrain_epochs": 10}),
    Variant("masks and channel dropout", training={"freq_mask": 0.2, "time_mask": 0.2, "channel_dropout": 0.2}),
    Variant(BASELINE, "bandpower", tuned=True),
    Variant("boosting", "boosting", tuned=True),
    Variant("riemann", "riemann", "raw", tuned=True),
    Variant(DEFAULT, "vit", tuned=True, config=DEFAULT_INPUT),
]


def line_of(name: str, runs: dict[str, RunPaths], compared: RunComparison) -> list[str]:
    """Cells of a variant: its scores, those of its seeds, and its differences from baseline and default.

    Parameters
    ----------
    name
        Name of the variant.
    runs
        Files of all variants.
    compared
        Their comparison.

    Returns
    -------
    list of str
        Cells of the table.
    """
    metrics = read_json(runs[name].metrics)
    scores = metrics["members"][metrics["primary"]]
    ranks = [member["balanced_accuracy"]["value"] for key, member in metrics["members"].items() if key != "ensemble"]
    shown = [
        "{value:.3f} ({low:.3f} to {high:.3f})".format(**scores[score]) for score in ("balanced_accuracy", "auroc")
    ]
    spread = f"{np.mean(ranks):.3f} ± {np.std(ranks, ddof=1):.3f}" if len(ranks) > 1 else ""
    return [name, *shown, spread, *(_difference(compared, name, other) for other in (BASELINE, DEFAULT))]


def _difference(compared: RunComparison, first: str, second: str) -> str:
    pair = compared.number_of(first, second)
    if pair is None:
        return ""
    number, sign = pair
    tests = compared.tests
    low, high = sorted((sign * float(tests.bootstrap_low[number]), sign * float(tests.bootstrap_high[number])))
    return f"{sign * float(tests.difference[number]):+.3f} ({low:+.3f} to {high:+.3f})"


HEADER = [
    "variant",
    "balanced accuracy",
    "AUROC",
    "single models",
    f"minus {BASELINE}",
    f"minus {DEFAULT}",
]


def main() -> None:
    """Run the studies and print a table for each cohort."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="root of the Helsinki data set in BIDS; without it, only synthetic")
    parser.add_argument("--output", type=Path, required=True, help="folder of the results")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of benchmarks.json and benchmarks.md")
    parser.add_argument("--seed", type=int, default=1, help="seed of the studies")
    parser.add_argument("--only", nargs="+", help="names of variants, besides the classical model and the ViT")
    parser.add_argument("--cohort", choices=list(COHORTS), help="this cohort alone")
    parser.add_argument("--cores", type=int, default=2, help="CPU cores")
    arguments = parser.parse_args()
    always = (REFERENCE, BASELINE, DEFAULT)
    variants = [one for one in VARIANTS if not arguments.only or one.name in (*always, *arguments.only)]
    for cohort, (files, data) in COHORTS.items():
        if arguments.cohort not in (None, cohort) or (cohort == "helsinki" and not arguments.data):
            continue
        folder = arguments.output.resolve() / cohort
        folder.mkdir(parents=True, exist_ok=True)
        runs = {}
        for one in variants:
            config = merge(data, one.configuration(arguments.seed))
            if cohort == "helsinki":
                config["dataset"] = {**HELSINKI, "root": str(arguments.data.resolve())}
            runs[one.name] = run_study(
                folder, one.folder, one.combination, config, "metrics.json", files, arguments.cores
            )
        compared = compare_runs({name: (run.predictions, read_json(run.metrics)) for name, run in runs.items()})
        lines = [line_of(name, runs, compared) for name in runs]
        print(f"{cohort}\n\n{table(HEADER, lines)}\n")
        figures = read_figures(arguments.docs)
        known = figures.get("generalization", {})
        found = {"header": HEADER, "lines": lines, "skipped": compared.skipped}
        figures["generalization"] = {**known, "machine": machine("generalization"), cohort: found}
        write_figures(arguments.docs, figures)


if __name__ == "__main__":
    main()
