"""References of everything that a run used, as BibTeX."""

from pathlib import Path

from eegwf.models.registry import entry_of
from eegwf.report.data import ReportData
from eegwf.report.formats import plain_name
from eegwf.report.optuna_studies import search_space
from eegwf.storage.files import read_table

FILE = Path(__file__).with_suffix(".tsv")
COLUMNS = ("key", "type", "authors", "title", "venue", "year", "doi", "url", "used_for")
# Settings of training that have a reference if a training used them.
SETTINGS = (
    "label_smoothing",
    "focal_gamma",
    "mixup_alpha",
    "mixstyle_alpha",
    "freq_mask",
    "time_mask",
    "pretrain_epochs",
)
# Field of BibTeX in which an entry of this type has its place of publication.
VENUES = {"article": "journal", "inproceedings": "booktitle", "techreport": "institution", "phdthesis": "school"}


def bibtex(run: ReportData) -> str:
    """Entries of all references that the run used, in the order of the table."""
    return "\n".join(entry(row) for row in used_references(run))


def used_references(run: ReportData) -> list[dict[str, str]]:
    """Rows of the table of references that the run used."""
    used = uses(run)
    rows = read_table(FILE, COLUMNS, text=COLUMNS).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows if used & set(row["used_for"].split())]


def uses(run: ReportData) -> set[str]:
    """What the run used, in the words of the column `used_for`."""
    study, model = run.study, run.study.models[run.model]
    members = () if run.spectrogram == "raw" else study.spectrograms.members(run.spectrogram)
    used = {"always", f"model:{run.model}", f"kind:{study.dataset.kind}", f"mode:{run.mode}"}
    used |= {f"spectrogram:{name}" for name in members} | {f"dataset:{plain_name(study.report.dataset_name or '')}"}
    used |= {"backbone"} if model.timm else set()
    used |= {f"wavelet:{study.spectrograms.cwt.wavelet}"} if "cwt" in members else set()
    if study.dataset.kind != "fold_arrays":
        signals = study.signals
        used |= {"recordings"} | ({"filters"} if signals.l_freq or signals.h_freq or signals.notch else set())
    if search_space(run):
        used |= {"tuned", f"sampler:{study.tuning.sampler}", f"pruner:{study.tuning.pruner}"}
    used |= _training(run) if entry_of(run.model, model.fixed).gradient_trained else set()
    used |= {"seeds"} if study.retrain.n_seeds > 1 else set()
    used |= {f"interval:{run.metrics['interval']['method']}"}
    used |= {"permutation"} if run.metrics["permutation"]["n_permutations"] else set()
    used |= {f"method:{name}" for fold in run.outer if fold.maps for name in fold.maps.about["methods"]}
    return used


def _training(run: ReportData) -> set[str]:
    """Settings of the training of a network."""
    optimizers = run.study.models[run.model].setting_values("optimizer", run.study.training.optimizer)[1]
    used = {f"setting:{name}" for name in SETTINGS if _used(run, name, 0)}
    used |= {"setting:swa_epochs"} if _used(run, "swa_epochs", 1) else set()
    return used | {f"optimizer:{value}" for value in optimizers}


def _used(run: ReportData, setting: str, disabled: float) -> bool:
    """Whether a trial could have a value of a setting above the one that disables it."""
    _, values = run.study.models[run.model].setting_values(setting, getattr(run.study.training, setting))
    return any(value > disabled for value in values)


def entry(row: dict[str, str]) -> str:
    """Format a reference as an entry of BibTeX.

    Parameters
    ----------
    row
        Row of the table of references.

    Returns
    -------
    str
        The entry; braces around the title keep its capital letters.
    """
    fields = {
        "author": row["authors"],
        "title": f"{{{row['title']}}}",
        VENUES.get(row["type"], "howpublished"): row["venue"],
        "year": row["year"],
        "doi": row["doi"],
        "url": row["url"],
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{row['type']}{{{row['key']},", *lines, "}", ""])
