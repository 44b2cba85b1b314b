"""Pack the final models of a combination into one file that predicts recordings without the data of the study."""

from pathlib import Path
from typing import Any

from eegwf.config.paths import RunPaths
from eegwf.errors import InputError
from eegwf.provenance.git import ROOT
from eegwf.provenance.zip_file import write_zip
from eegwf.storage.files import read_json

LOCK = ROOT / "envs" / "eegwf.txt"
CARD = """\
---
library_name: eegwf
tags: [eeg, seizure-detection]
---

# {run}

Classifier of EEG windows of {length} into {classes}. Model `{model}`, spectrogram `{spectrogram}`, {n_models}
parameter set(s). The run is of commit {commit} of eegwf.

## Use

    eegwf predict RECORDING... --run {file} --output FOLDER

The recordings must have the electrodes of the derivations {derivations}. They are resampled to {sfreq:g} Hz. The
versions of the libraries are in `requirements.txt`; `sha256sum --check SHA256SUMS` checks the files.

## Training

The models were trained on all {n_patients} patients of the study ({n_recordings} recordings, {hours:g} h; windows:
{windows}). No patient was left to score them: **these models are unscored.** The parameters and the number of epochs
were chosen by the validation folds of cross-validation.

## Performance of the procedure

Cross-validation by patient of the same procedure, with confidence intervals over patients:

{scores}

The scores of the models themselves are not known. They were trained on more patients than those of cross-validation,
and apply to recordings like those of the study: test them on an external data set before you rely on them.

## Limits

For research. Not a medical device: no decision about a patient may depend on it. The distance of a recording from those
of the training is in `input_quality.tsv` of each prediction.
"""


def bundle_models(run: Path, output: Path) -> list[str]:
    """Pack the final models of a combination; the same models result in the same bytes.

    Parameters
    ----------
    run
        Folder of the combination.
    output
        Zip file to write.

    Returns
    -------
    list of str
        Names of the packed files: those of `final/`, which identify no patient, the model card `README.md`, the lock
        file of the environment `requirements.txt`, and checksums.

    Raises
    ------
    InputError
        If there are no final models, or the run has not finished.
    """
    paths = RunPaths(run)
    final = paths.final
    if not final.description.is_file():
        raise InputError(
            f"{run}: no final models; train them with `snakemake {final.description}` and the configuration of the run"
        )
    if not paths.run_record.is_file():
        raise InputError(f"{run}: no {paths.run_record.name}; finish the run first: `snakemake {paths.report}`")
    description = read_json(final.description)
    models = [file for name in range(1, len(description["models"]) + 1) for file in final.model(name).files]
    files = {path.relative_to(run).as_posix(): path.read_bytes() for path in [*final.common_files, *models]}
    commit = read_json(paths.run_record)["commit"]
    files["README.md"] = _card(description, commit or "unknown", output.name).encode()
    files["requirements.txt"] = LOCK.read_bytes()
    return write_zip(output, files)


def _card(description: dict[str, Any], commit: str, file: str) -> str:
    """Model card, from `models.json`."""
    reading, trained = description["reading"], description["trained_on"]
    context = reading["windows"].get("context", 0)
    beside = f", with {context:g} s of signal before and after each," if context else ""
    return CARD.format(
        run=description["run"],
        length=f"{reading['windows']['length']:g} s" + beside,
        classes=", ".join(description["classes"]),
        model=description["model"],
        spectrogram=description["spectrogram"],
        n_models=len(description["models"]),
        commit=commit,
        file=file,
        derivations=", ".join(reading["ch_names"]),
        sfreq=reading["sfreq"],
        n_patients=trained["n_patients"],
        n_recordings=trained["n_recordings"],
        hours=trained["hours"],
        windows=", ".join(f"{count} {name}" for name, count in trained["n_windows"].items()),
        scores="\n".join(_score_lines(description["cross_validation"])),
    )


def _score_lines(scores: dict[str, Any]) -> list[str]:
    lines = ["| score | value | interval |", "|---|---|---|"]
    for kind, entries in scores.items():
        for name, entry in entries.items():
            numbers = [entry[key] for key in ("value", "low", "high")]
            value, low, high = ("-" if number is None else f"{number:.3f}" for number in numbers)
            lines.append(f"| {name.replace('_', ' ')} ({kind}) | {value} | {low} to {high} |")
    return lines
