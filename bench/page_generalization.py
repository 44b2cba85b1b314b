"""Part of the page about the generalization between patients."""

from typing import Any

from bench.tables import measured_on, table

COHORTS = {
    "synthetic": "24 synthetic patients with different amplifiers and electrodes",
    "helsinki": "56 newborns of Helsinki with windows of the two classes (`config/datasets/helsinki.yaml`)",
}


def generalization(figures: dict[str, Any]) -> list[str]:
    """Paragraphs and tables of the cohorts.

    Parameters
    ----------
    figures
        `machine`, and for each cohort `header` and `lines` of its table, and `skipped`, the variants that were not
        compared and why, as written by `bench.generalization`.

    Returns
    -------
    list of str
        Parts of the page.
    """
    parts = [
        "## Generalization between patients",
        "`python -m bench.generalization` trains `sharedcnn` with one part of its configuration changed at a time, all "
        "else as in the reference: `mel` with 24 x 16 cells, 4 s of context on each side, `normalization: level`, "
        "`patient_balance: sqrt`, 12 epochs, fixed hyperparameters. A fold is tested by the ensemble of five seeds; "
        "the score of a single model is the mean over the seeds with its standard deviation. The classical models and "
        "the ViT (of the former default, with `normalization: patients`) are tuned on validation patients. Intervals "
        "are those of a bootstrap over patients, paired for the differences, and are not corrected for the number of "
        "variants. The variants describe the test folds. None of the settings of `config/datasets/helsinki.yaml` was "
        "chosen by this table; the default normalization, `recording`, was tried because of it, and then chosen on the "
        "validation patients of the default study. Variants of the script without a row have not been measured.",
        "On the synthetic patients, `normalization: recording` helps, as do `acf` and two time scales; context, "
        "MixStyle, the average of the last epochs, pretraining and the balance of patients make differences within the "
        "spread of the seeds. On Helsinki, whose excerpts are too short for statistics of a recording, the removal of "
        "the amplitude (`level`, `acf`) and context help.",
        measured_on(figures["machine"]),
    ]
    for cohort, title in COHORTS.items():
        if cohort in figures:
            found = figures[cohort]
            skipped = [f"{name}: {reason}" for name, reason in found["skipped"].items()]
            parts += [f"### {title}", table(found["header"], found["lines"]), *skipped]
    return parts
