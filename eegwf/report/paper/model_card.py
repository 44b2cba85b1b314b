"""Model card: description of the models of a combination in the form of the Hugging Face Hub; nothing is uploaded."""

from collections.abc import Mapping
from typing import Any

from eegwf.report.data import ReportData
from eegwf.report.formats import defined, listing
from eegwf.report.paper import methods
from eegwf.report.paper.answers_tripod import limitations

METRICS = {"balanced_accuracy": "Balanced accuracy", "roc_auc": "AUROC", "f1_macro": "Macro F1"}
KEYS = {"balanced_accuracy": "balanced_accuracy", "roc_auc": "auroc", "f1_macro": "macro_f1"}
USE = (
    "The models classify windows of EEG for research. They are no medical device, and have not been tested for "
    "clinical use."
)


def model_card(run: ReportData, paper: Mapping[str, Any]) -> str:
    """Write the model card.

    Parameters
    ----------
    run
        Content of the report.
    paper
        Texts of the page for a paper: `methods` and `results`.

    Returns
    -------
    str
        Markdown with a header in YAML.
    """
    # Importing it takes a fifth of a second.
    from huggingface_hub import ModelCard

    name = f"{run.model}_{run.spectrogram}_{run.class_set}"
    sections = {
        f"# {name}": f"Classifies windows of EEG into {listing(run.classes)}. Written by eegwf; the report of the run "
        "has all scores.",
        "## Use": USE,
        "## Training data and procedure": paper["methods"],
        "## Evaluation": paper["results"],
        "## Limitations": " ".join(limitations(run)) or "To be completed by the authors.",
        "## License and contact": "To be completed by the authors; the license of the data set also applies.",
    }
    body = "\n\n".join(part for section in sections.items() for part in section)
    return str(ModelCard(f"---\n{_header(run, name)}\n---\n\n{body}\n"))


def _header(run: ReportData, name: str) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    dataset = run.study.report.dataset_name or methods.dataset_name(run) or "unnamed"
    scores = [
        EvalResult(
            task_type="other",
            task_name="Classification of EEG windows, cross-validation by patient",
            dataset_type="other",
            dataset_name=dataset,
            metric_type=kind,
            metric_name=title,
            metric_value=round(run.headline[KEYS[kind]]["value"], 4),
        )
        for kind, title in METRICS.items()
        if defined(run.headline[KEYS[kind]]["value"])
    ]
    tags = ["eeg", "seizure-detection", run.model, run.spectrogram]
    if not scores:
        return ModelCardData(library_name="eegwf", tags=tags).to_yaml()
    return ModelCardData(library_name="eegwf", tags=tags, model_name=name, eval_results=scores).to_yaml()
