"""The retraining job of one outer fold: from files to files."""

from pathlib import Path
from typing import Any

from eegwf.compute.device import prepare
from eegwf.config.training import Retrain, Training
from eegwf.data.splits import load_cohort
from eegwf.storage.files import digest_file, read_json
from eegwf.storage.job_state import library_versions
from eegwf.training.retrain import Refit, retrain_ranks
from eegwf.training.spectrogram_dataset import Inputs


def retrain_fold(
    name: str,
    fold: int,
    config: dict[str, Any],
    code: str,
    windows: str,
    folds: str,
    arrays: list[str],
    best: str,
    state: str,
    output: str,
) -> None:
    """Retrain the parameter sets of `best` on one outer fold and write each rank's files under `output`.

    Parameters
    ----------
    name, fold
        Name of the study and the outer fold.
    config
        Slice of the configuration: what decides the weights.
    code
        Digest of the code.
    windows, folds, arrays
        The study's tables and spectrograms.
    best
        `best.json` of the tuning.
    state
        Folder of unfinished work.
    output
        Folder of the ranks.
    """
    device = prepare(config["device"], config["threads"], config["deterministic"])
    inputs = Inputs(arrays)
    data = [digest_file(windows), digest_file(folds), *inputs.identity()]
    # Each rank has its own state, whose name holds its parameters: neither `top` nor other ranks matter to it.
    decisive = {**config, "retrain": {**config["retrain"], "top": None}}
    cohort = load_cohort(Path(windows), Path(folds), config["classes"])
    if config["permute_labels"]:
        cohort = cohort.permuted(fold, config["seed"])
    task = Refit(
        name=name,
        model=config["model"],
        inputs=inputs,
        cohort=cohort,
        test_fold=fold,
        training=Training.model_validate(config["training"]),
        retrain=Retrain.model_validate(config["retrain"]),
        seed=config["seed"],
        device=device,
        identity=[name, decisive, data, code, device, library_versions()],
    )
    retrain_ranks(task, read_json(best), Path(output), Path(state))
