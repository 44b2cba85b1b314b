"""Training, retraining and files of the models that are not trained by gradient descent."""

import json

import numpy as np
import pytest
import torch

from eegwf.config.training import Training
from eegwf.data.splits import split
from eegwf.jobs import retrain
from eegwf.models.registry import MODELS, build, entry_of
from eegwf.storage.files import read_json, read_table, write_json
from eegwf.training.classifier import load_classifier, needed_axes, save_classifier
from eegwf.training.loop import train
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.study import retrain_settings, tune_config

ARRAYS = {"bandpower": ["mel.npy", "windows.npy"], "boosting": ["mel.npy", "windows.npy"], "riemann": ["windows.npy"]}
SETS = {
    "bandpower": [{"C": 1.0}, {"C": 0.01, "channels": "pooled", "bands": "fine", "time_features": True}],
    "boosting": [{"n_iterations": 10, "min_leaf": 5}, {"n_iterations": 5, "min_leaf": 5, "channels": "pooled"}],
    "riemann": [{"shrinkage": 0.2}, {"C": 0.1, "bands": "classical"}],
}
CASES = [(model, array) for model, arrays in ARRAYS.items() for array in arrays]
every_classical_model = pytest.mark.parametrize(("model", "array"), CASES)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def test_every_classical_model_is_tested():
    assert set(ARRAYS) == {name for name, entry in MODELS.items() if not entry.gradient_trained}


@every_classical_model
def test_training_is_reproducible_and_saved_coefficients_are_loaded(study, window_set, tmp_path, model, array):
    dataset, parameters = SpectrogramDataset([study / array]), SETS[model][0]
    # Neither the initial weights nor anything else depends on the seed.
    first, second = (train(model, dataset, split(window_set, 1), parameters, Training(), seed=seed) for seed in (1, 2))
    assert first.history == second.history and first.best_epoch == len(first.history) == 1
    axes = needed_axes(model, parameters, dataset)
    description = {"model": model, "shape": {**dataset.shape, "n_outputs": 3}, "parameters": parameters, "axes": axes}
    for folder, trained in (("first", first), ("second", second)):
        save_classifier(tmp_path / folder, trained.classifier, {**description, "normalization": "none"})
    files = [(tmp_path / folder / "model.safetensors").read_bytes() for folder in ("first", "second")]
    assert files[0] == files[1]
    loaded, _ = load_classifier(tmp_path / "first")
    x = dataset.read(np.arange(30))
    assert torch.equal(loaded(x), first.classifier(x))
    assert loaded(x).std(dim=0).min() > 1e-3


@every_classical_model
def test_retraining_writes_reproducible_files_for_every_rank(study, tmp_path, model, array):
    settings = retrain_settings(tune_config(model=model), seeds=2)
    best = [{"rank": rank, "trial": 0, "value": 0.5, "params": SETS[model][rank - 1]} for rank in (1, 2)]
    write_json(tmp_path / "best.json", best)
    written = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        retrain.run(
            settings=settings,
            name=f"{model}_mel_3class_fold2",
            fold=2,
            code="x",
            windows=study / "windows.tsv",
            folds=study / "folds.tsv",
            arrays=[study / array],
            best=tmp_path / "best.json",
            state=folder / "state",
            output=folder / "retrain",
        )
        files = [path for path in sorted((folder / "retrain").glob("rank*/*")) if path.is_file()]
        written.append({path.relative_to(folder).as_posix(): path.read_bytes() for path in files})
    names = ["calibration.json", "history.tsv", "model.json", "model.safetensors", "test.tsv", "validation.tsv"]
    assert written[0] == written[1]
    # The training draws no random numbers, so that a further seed is skipped.
    assert written[0].pop("retrain/rank1_seed2/test.tsv").count(b"\n") == 1
    assert list(written[0]) == [f"retrain/rank{rank}/{name}" for rank in (1, 2) for name in names]
    ranks = [written[0][f"retrain/rank{rank}/model.safetensors"] for rank in (1, 2)]
    assert ranks[0] != ranks[1]
    assert set(json.loads(written[0]["retrain/rank1/model.json"])["axes"]) == set(
        needed_axes(model, {}, SpectrogramDataset([study / array]))
    )
    folder = tmp_path / "1" / "retrain" / "rank1"
    loaded, description = load_classifier(folder)
    table = read_table(folder / "test.tsv", text=("patient", "label", "predicted"))
    classes = np.array(description["classes"])
    predicted = loaded(SpectrogramDataset([study / array]).read(table["window"].to_numpy())).argmax(dim=1).numpy()
    assert list(classes[predicted]) == list(table["predicted"])
    assert len(read_table(folder / "history.tsv")) == 1 and read_json(folder / "model.json")["best_epoch"] == 1


@pytest.mark.parametrize("model", ARRAYS)
def test_no_parameter_is_trained_by_gradient_descent(model):
    shape = {"n_chans": 2, "n_freqs": 1, "n_frames": 64, "n_outputs": 2}
    parameters = list(build(model, shape, {}, {"sfreq": 32.0, "freqs": None}).parameters())
    assert parameters and not any(parameter.requires_grad for parameter in parameters)


def test_boosting_alone_has_no_gradient():
    x = torch.randn(4, 2, 1, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    for model in ARRAYS:
        shape = {"n_chans": 2, "n_freqs": 1, "n_frames": 64, "n_outputs": 2}
        logits = build(model, shape, {}, {"sfreq": 32.0, "freqs": None})(x)
        assert logits.requires_grad == entry_of(model, {}).differentiable == (model != "boosting")
