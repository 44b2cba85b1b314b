"""Text on the spread of the scores between trainings with different random seeds."""

from eegwf.report.data import ReportData
from eegwf.report.formats import defined, interval, listing, score

NAMES = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "auroc": "AUROC"}


def seed_sentence(run: ReportData) -> str:
    """Describe the spread of the scores of rank 1 between random seeds.

    Parameters
    ----------
    run
        Content of the report.

    Returns
    -------
    str
        For each score mean, standard deviation and range over the seeds, beside the confidence interval of the ordinary
        training; empty with one seed, and for results of earlier versions.
    """
    spread = (run.metrics.get("spread") or {}).get("seeds")
    if not spread:
        return ""
    if spread["n"] == 1:
        return (
            f"The training of {run.model} draws no random numbers: with other seeds it gives the same classifier, so "
            "that there is no spread between seeds."
        )
    parts = []
    for key, name in NAMES.items():
        entry = spread[key]
        if defined(entry["mean"]):
            text = f"{name} {score(entry['mean'])} (standard deviation {score(entry['standard_deviation'])}, "
            text += f"{score(entry['min'])} to {score(entry['max'])}"
            bounds = interval({**entry, "value": entry["mean"]})
            parts.append(f"{text}; interval over patients: {bounds})")
    if not parts:
        return f"Rank 1 was trained with {spread['n']} seeds; the scores are undefined."
    return (
        f"Rank 1 trained with {spread['n']} seeds: {listing(parts)}. This variation of training is not in the "
        "confidence intervals, which are over patients; those given here are of the first seed, which is the member "
        "rank1. Parameter sets and folds are the same for all seeds."
    )
