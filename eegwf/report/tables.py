"""Tables of the page: scores, folds and patients."""

from dataclasses import dataclass, field

from eegwf.report.data import ReportData
from eegwf.report.formats import (
    count,
    difference,
    difference_interval,
    number,
    score,
    with_interval,
)
from eegwf.report.interval_notes import undefined_note
from eegwf.report.optimism import Optimism, mean
from eegwf.report.selection import FoldScores
from eegwf.report.statement import why_undefined

Cell = str | tuple[str, str]


@dataclass(frozen=True)
class Table:
    """A table with a caption.

    Attributes
    ----------
    caption
        Caption.
    columns
        Headings of the columns.
    rows
        Rows; the first cell is the name of the row. A cell is text, or a value and its interval.
    note
        Note below the table; may be empty.
    text
        Indices of columns with text, which are left-aligned; other columns are numbers.
    strong
        Indices of emphasized rows.
    faint
        Indices of rows in gray.
    sortable
        Whether a script lets the reader sort the rows; emphasized rows, such as sums, keep their place.
    filter_label
        Label of a field that filters the rows of a sortable table; empty for none.
    """

    caption: str
    columns: list[str]
    rows: list[list[Cell]]
    note: str = ""
    text: set[int] = field(default_factory=set)
    strong: set[int] = field(default_factory=set)
    faint: set[int] = field(default_factory=set)
    sortable: bool = False
    filter_label: str = ""


def class_table(run: ReportData) -> Table:
    """Scores of the primary member by class."""
    kinds = ("recall", "specificity", "precision", "f1", "auroc", "auprc")
    rows: list[list[Cell]] = [
        [
            label,
            str(scores["n_patients"]),
            f"{scores['n_windows']:,d}",
            *(with_interval(scores[kind]) for kind in kinds),
        ]
        for label, scores in run.headline["per_class"].items()
    ]
    return Table(
        f"Scores by class, one versus rest: {run.primary}, with {level(run)} confidence intervals",
        [
            "class",
            "patients",
            "windows",
            "recall (sensitivity)",
            "specificity",
            "precision",
            "F1",
            "AUROC",
            "AUPRC",
        ],
        rows,
        undefined_note(run, why_undefined(run)),
    )


def member_table(run: ReportData) -> Table:
    """Scores by member, and the baselines."""
    kinds = (
        "balanced_accuracy", "macro_f1", "accuracy", "auroc", "auprc", "cohen_kappa", "mcc",
        "sensitivity_at_specificity",
    )  # fmt: skip
    members = run.metrics["members"]
    rows: list[list[Cell]] = [
        [_member_name(run, name), *(with_interval(scores[kind]) for kind in kinds)] for name, scores in members.items()
    ]
    for name, baseline in run.metrics["baselines"].items():
        rows.append([f"baseline: {name}", *(score(baseline[kind]) if kind in baseline else "" for kind in kinds)])
    names, specificity = list(members), number(run.metrics["specificity"])
    return Table(
        f"Scores by member on the pooled test folds, with {level(run)} confidence intervals",
        [
            "member", "balanced accuracy", "macro F1", "accuracy", "AUROC", "AUPRC", "Cohen's kappa", "MCC",
            f"sensitivity at specificity {specificity}",
        ],
        rows,
        f"The primary member, {run.primary}, was declared in the configuration before the run; choosing the member "
        f"with the highest test score instead would bias the score upward. {_ranks_sentence(run, names)} The majority "
        "baseline predicts the most frequent class of the other folds for every window. MCC: Matthews correlation "
        f"coefficient. The last column is the sensitivity to any class but {run.classes[0]}, at the threshold of the "
        f"probability 1 − p({run.classes[0]}) with the largest sensitivity at a specificity of at least {specificity} "
        "on the test windows themselves.",
        strong={names.index(run.primary)},
    )  # fmt: skip


def rank_name(run: ReportData, rank: int) -> str:
    """Number of a rank, with its parameter set and seed if each set is retrained with several seeds.

    Parameters
    ----------
    run
        Content of the report.
    rank
        The rank.

    Returns
    -------
    str
        Such as `2 (parameter set 1, seed 2)`.
    """
    retrain = run.study.retrain
    number, seed = retrain.set_and_seed(rank)
    return str(rank) if retrain.n_seeds == 1 else f"{rank} (parameter set {number}, seed {seed})"


def _member_name(run: ReportData, member: str) -> str:
    return f"rank{rank_name(run, int(member.removeprefix('rank')))}" if member.startswith("rank") else member


def _ranks_sentence(run: ReportData, members: list[str]) -> str:
    n_ranks, n_seeds = sum(name != "ensemble" for name in members), run.study.retrain.n_seeds
    if n_ranks == 1:
        return "rank1 is the best parameter set of each fold, retrained."
    ranks = f"rank1 {'and' if n_ranks == 2 else 'to'} rank{n_ranks} are"
    if n_seeds == 1:
        return f"{ranks} the best parameter sets of each fold, retrained."
    sets = count(n_ranks // n_seeds, "best parameter set")
    return f"{ranks} the {sets} of each fold, retrained with {n_seeds} random seeds each."


def mean_table(run: ReportData) -> Table:
    """AUROC and AUPRC of the pooled folds beside their means over the folds, and means over the patients."""
    members = run.metrics["members"]
    rows: list[list[Cell]] = []
    for name, scores in members.items():
        row: list[Cell] = [name]
        for kind in ("auroc", "auprc"):
            of_folds = scores["mean_of_folds"][kind]
            row += [score(scores[kind]["value"]), (score(of_folds["value"]), count(of_folds["n_folds"], "fold"))]
        for kind in ("balanced_accuracy", "accuracy", "detection_auroc"):
            row.append(with_interval(scores["mean_of_patients"][kind]))
        rows.append(row)
    n_detected = members[run.primary]["mean_of_patients"]["detection_auroc"]["n_patients"]
    return Table(
        "Pooled scores, means over the folds and means over the patients",
        [
            "member", "AUROC, pooled", "AUROC, mean of folds", "AUPRC, pooled", "AUPRC, mean of folds",
            "balanced accuracy, mean of patients", "accuracy, mean of patients", "detection AUROC, mean of patients",
        ],
        rows,
        "Pooled AUROC and AUPRC differ from the means of the folds because pooling ranks the probabilities of "
        "different models together, so that differences in calibration between the folds count, and because each fold "
        "has other proportions of the classes; a fold without a class is omitted from its mean. Means of patients give "
        "each patient the same weight, however many windows there are: balanced accuracy over the patient's classes; "
        f"detection AUROC of any class but {run.classes[0]}, for the {count(n_detected, 'patient')} with both. Their "
        f"{level(run)} confidence intervals are Student's t over the patients on the logit scale.",
        strong={list(members).index(run.primary)},
    )  # fmt: skip


def level(run: ReportData) -> str:
    """Confidence level of the intervals as text."""
    return f"{number(round(100 * run.metrics['interval']['confidence'], 6))} %"


def fold_table(run: ReportData, folds: list[FoldScores], optimism: Optimism) -> Table:
    """Windows, scores and selection optimism of every outer fold.

    Parameters
    ----------
    run
        Content of the report.
    folds
        Scores of the outer folds.
    optimism
        Mean selection optimism.

    Returns
    -------
    Table
        A row per fold, and their mean.
    """
    rows: list[list[Cell]] = []
    truth, _, _, fold_numbers = run.scored(run.primary)
    sizes = {row["fold"]: row["n_patients"] for row in run.metrics["per_fold"]}
    paired = any(fold.same_patients is not None for fold in folds)
    kinds = ("tuned", *(["same_patients"] if paired else []), "validation", "first", "primary")
    for fold in folds:
        in_fold = fold_numbers == fold.fold
        counts = [int((in_fold & (truth == number)).sum()) for number in range(len(run.classes))]
        windows = [f"{n:,d}" if n else "0 (missing)" for n in counts]
        values = [score(getattr(fold, kind)) for kind in kinds]
        last: Cell = (difference(fold.optimism), "used in tuning") if fold.seen else difference(fold.optimism)
        rows.append([str(fold.fold), str(sizes[fold.fold]), *windows, *values, last])
    means = [mean([getattr(fold, kind) for fold in folds]) for kind in kinds]
    bounds = difference_interval(optimism.low, optimism.high) or "no interval"
    seen = any(fold.seen for fold in folds)
    pooled = (difference(optimism.value), "fold 1 only" if seen else bounds)
    rows.append(["mean", "", *[""] * len(run.classes), *(score(value) for value in means), pooled])
    note = "The balanced accuracy of a fold omits classes that are missing from its test windows."
    if paired:
        note += (
            " Validation and test are compared on the same patients, those of the validation fold, whom rank1 of "
            "their own outer fold tests."
        )
    if optimism.reason and not seen:
        note += f" There is no interval of the mean optimism: {optimism.reason}."
    if optimism.low is not None:
        units = "groups of disjoint validation patients" if paired else "folds"
        note += (
            f" The {level(run)} confidence interval of the mean optimism is Student's t over the {units} with the "
            "variance corrected for overlapping training sets (Nadeau and Bengio, 2003); it is approximate."
        )
    if seen:
        note += (
            " Used in tuning: the Optuna study trained or validated on the test patients of the fold, so its optimism "
            "is omitted from the mean; the means of the other columns include it."
        )
    return Table(
        "Outer folds: patients, windows, scores and selection optimism",
        [
            "fold", "patients", *run.classes, "best trial, validation", *(["same patients, test"] if paired else []),
            "rank1 retrained, validation", "rank1, test", f"{run.primary}, test",
            f"optimism (best trial − {'same patients' if paired else 'rank1'}, test)",
        ],
        rows,
        note,
        strong={len(rows) - 1},
    )  # fmt: skip
