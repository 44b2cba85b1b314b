"""Training function: best epoch, resumption, normalization, and independence of the test fold."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import balanced_accuracy_score, f1_score

from eegwf.config.training import Training
from eegwf.data.splits import load_window_set, split
from eegwf.errors import InputError
from eegwf.storage.files import read_array, write_array
from eegwf.training.batch_loader import BatchLoader, shared_batch_loader
from eegwf.training.classifier import (
    Classifier,
    load_classifier,
    predict,
    save_classifier,
)
from eegwf.training.loop import train
from eegwf.training.normalization import Normalization
from eegwf.training.predictions import predictions_table
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Diverged
from tests.helpers.study import CLASSES, write_study

PARAMETERS = {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2, "depth": 1, "lr": 3e-3}
SETTINGS = Training(epochs=6, patience=6, batch_size=16)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def window_set(study):
    return load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)


@pytest.fixture(scope="module")
def dataset(study):
    return SpectrogramDataset([study / "mel.npy"])


def run(dataset, window_set, settings=SETTINGS, seed=1, **options):
    torch.set_num_threads(1)
    return train("vit", dataset, split(window_set, 1), PARAMETERS, settings, seed=seed, **options)


def weight_bytes(classifier):
    return {name: value.numpy().tobytes() for name, value in classifier.state_dict().items()}


def test_scores_match_scikit_learn(dataset, window_set):
    trained = run(dataset, window_set)
    parts = split(window_set, 1)
    predicted = predict(trained.classifier, dataset, parts.validation.window).argmax(1)
    truth = parts.validation.label
    assert trained.value == pytest.approx(balanced_accuracy_score(truth, predicted), abs=1e-6)
    assert trained.value > 0.5
    assert trained.history[trained.best_epoch - 1]["macro_f1"] == pytest.approx(
        f1_score(truth, predicted, average="macro"), abs=1e-6
    )


def test_random_seed_decides_the_weights(dataset, window_set):
    first, second = run(dataset, window_set), run(dataset, window_set)
    other = run(dataset, window_set, seed=2)
    assert weight_bytes(first.classifier) == weight_bytes(second.classifier)
    assert first.history == second.history
    assert weight_bytes(first.classifier) != weight_bytes(other.classifier)


VARIANTS = {
    "adamw": {},
    "adam": {"optimizer": "adam"},
    "sgd": {"optimizer": "sgd"},
    "weight_ema": {"ema_decay": 0.9},
    "swa": {"swa_epochs": 3},
    "patients": {"patient_balance": "equal"},
    "mixstyle": {"mixstyle_alpha": 0.3},
    "plateau": {"schedule": "plateau", "plateau_patience": 1, "lr": 1e-2},
    "augmented": {"mixup_alpha": 0.3, "freq_mask": 0.3, "time_mask": 0.3, "time_shift": 0.2, "channel_dropout": 0.1},
    "focal": {"focal_gamma": 2.0, "class_balance": "weights", "label_smoothing": 0.1},
}


def changed(settings, **changes):
    """Settings with changes that are validated, unlike those of `model_copy`."""
    return Training.model_validate({**settings.model_dump(), **changes})


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("stop_after", [1, 3, 6])
def test_checkpoint_resumes_training_exactly(dataset, window_set, tmp_path, variant, stop_after):
    settings = changed(SETTINGS, **VARIANTS[variant])
    whole = run(dataset, window_set, settings)

    class Stop(Exception):
        pass

    def stop(history):
        if len(history) == stop_after:
            raise Stop

    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Stop):
        run(dataset, window_set, settings, checkpoint=path, on_epoch=stop)
    lengths = []
    resumed = run(dataset, window_set, settings, checkpoint=path, on_epoch=lambda history: lengths.append(len(history)))
    assert lengths == list(range(1, len(whole.history) + 1))
    assert resumed.history == whole.history
    assert weight_bytes(resumed.classifier) == weight_bytes(whole.classifier)


def test_resumption_on_another_device_is_logged(dataset, window_set, tmp_path, monkeypatch, caplog):
    path = tmp_path / "checkpoint.safetensors"
    run(dataset, window_set, checkpoint=path)
    run(dataset, window_set, checkpoint=path)
    assert "continues on" not in caplog.text
    monkeypatch.setattr("eegwf.training.checkpoint.device_name", lambda device: "NVIDIA A100")
    run(dataset, window_set, checkpoint=path)
    assert "a training begun on cpu continues on NVIDIA A100" in caplog.text


def test_nan_in_the_test_fold_changes_no_weight(study, dataset, window_set, tmp_path):
    whole = run(dataset, window_set)
    poisoned = np.array(read_array(study / "mel.npy"))
    poisoned[window_set.in_folds(1).window] = np.nan
    write_array(tmp_path / "mel.npy", poisoned)
    again = run(SpectrogramDataset([tmp_path / "mel.npy"]), window_set)
    assert weight_bytes(again.classifier) == weight_bytes(whole.classifier)


def test_normalization_uses_the_training_windows_only(dataset, window_set):
    rows = split(window_set, 1).train.window
    norm = Normalization("patients", dataset.n_chans, dataset.n_freqs)
    norm.fit(BatchLoader(dataset, rows, "cpu"), rows)
    x = np.asarray(dataset.arrays[0][np.sort(rows)], dtype=np.float64)
    np.testing.assert_allclose(norm.mean[:, :, 0], x.mean(axis=(0, 3)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(norm.deviation[:, :, 0], x.std(axis=(0, 3)), rtol=1e-5)
    out = norm(dataset.read(rows))
    assert out.mean(dim=(0, 3)).abs().max() < 1e-3
    assert "normalization.mean" in run(dataset, window_set).classifier.state_dict()


def test_normalization_by_window_uses_that_window_only(dataset):
    norm = Normalization("window", dataset.n_chans, dataset.n_freqs)
    x = dataset.read(np.arange(4))
    out = norm(x)
    assert torch.allclose(out[1:2], norm(x[1:2]))
    assert out.mean(dim=(2, 3)).abs().max() < 1e-5


def test_infinite_loss_in_the_first_epoch_raises_diverged(dataset, window_set):
    with pytest.raises(Diverged, match="loss"):
        train("vit", dataset, split(window_set, 1), {**PARAMETERS, "lr": 1e30, "optimizer": "sgd"}, SETTINGS, seed=1)


def test_loaded_classifier_gives_the_same_logits(dataset, window_set, tmp_path):
    trained = run(dataset, window_set)
    model_parameters = {name: value for name, value in PARAMETERS.items() if name != "lr"}
    shape = {**dataset.shape, "n_outputs": 3}
    description = {"model": "vit", "shape": shape, "parameters": model_parameters, "normalization": "patients"}
    save_classifier(tmp_path, trained.classifier, description)
    loaded, _ = load_classifier(tmp_path)
    rows = np.arange(20)
    assert torch.equal(predict(loaded, dataset, rows), predict(trained.classifier, dataset, rows))
    assert set(load_file(tmp_path / "model.safetensors")) == set(loaded.state_dict())
    del description["normalization"]
    save_classifier(tmp_path, trained.classifier, description)
    with pytest.raises(InputError, match=r"model\.json: no normalization; another version of eegwf wrote this file"):
        load_classifier(tmp_path)


def test_predicted_class_has_the_largest_p_and_is_the_first_on_a_tie(window_set):
    part = window_set.in_folds(1)
    logits = torch.randn(len(part.window), 3, generator=torch.Generator().manual_seed(0))
    logits[0] = torch.tensor([0.0, 1.0, 1.0])
    table = predictions_table(part, logits)
    p = table[["p_background", "p_focal", "p_generalized"]].to_numpy()
    assert table["predicted"][0] == "focal"
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-8)
    exponentials = np.exp(logits.double().numpy())
    np.testing.assert_allclose(p, exponentials / exponentials.sum(axis=1, keepdims=True), rtol=1e-8)
    assert list(table["predicted"]) == [list(CLASSES)[number] for number in p.argmax(axis=1)]


def test_fold_without_windows_gives_an_empty_table(dataset, window_set):
    empty = window_set.in_folds(99)
    trained = run(dataset, window_set, Training(epochs=1))
    table = predictions_table(empty, predict(trained.classifier, dataset, empty.window))
    assert len(table) == 0 and list(table.columns[-3:]) == ["p_background", "p_focal", "p_generalized"]


def test_divergence_in_a_later_epoch_keeps_the_best_epoch(dataset, window_set, monkeypatch):
    from eegwf.training import trainer

    whole, scores_of = run(dataset, window_set), trainer.scores_of
    epochs = []

    def diverge(*arguments):
        epochs.append(1)
        if len(epochs) == 3:
            raise Diverged("the validation loss is nan")
        return scores_of(*arguments)

    monkeypatch.setattr(trainer, "scores_of", diverge)
    shortened = run(dataset, window_set)
    assert shortened.history == whole.history[:2]
    assert shortened.value == max(record["balanced_accuracy"] for record in shortened.history)


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "adamw"])
def test_each_setting_changes_the_weights(dataset, window_set, variant):
    """A setting that no code reads would not change them."""
    other = run(dataset, window_set, changed(SETTINGS, **VARIANTS[variant]))
    assert weight_bytes(run(dataset, window_set).classifier) != weight_bytes(other.classifier)


def test_checkpoints_take_at_most_their_fraction_of_the_time(dataset, window_set, tmp_path, monkeypatch):
    from eegwf.training import checkpoint as module

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock, written = Clock(), []

    def write(path, checkpoint):
        clock.now += 1.0
        written.append(len(checkpoint.history))

    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "write_checkpoint", write)
    settings = changed(SETTINGS, epochs=30, patience=30)

    def advance_clock(history):
        clock.now += 7.0

    options = {"checkpoint": tmp_path / "c.safetensors", "clock": clock.monotonic}
    run(dataset, window_set, settings, on_epoch=advance_clock, **options)
    # A checkpoint takes 1 s, so they are at least 20 s apart: three epochs of 7 s. The last epoch is always written.
    assert written == [1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 30]


def test_statistics_of_norms_are_averaged_like_the_weights():
    """After two steps, the running statistics are the average of those that each step had, by hand."""
    from eegwf.training.weight_ema import WeightEMA

    shape = {"n_chans": 4, "n_freqs": 1, "n_frames": 200, "n_outputs": 2}
    torch.manual_seed(0)
    classifier = Classifier("eegnet", shape, {}, "none", {"sfreq": 100.0, "freqs": None})
    norm = next(module for module in classifier.modules() if isinstance(module, torch.nn.BatchNorm1d))
    average = WeightEMA(classifier, 0.99)
    averaged = dict(average.classifier.named_buffers())
    name = next(key for key, value in classifier.named_buffers() if value is norm.running_var)
    expected = norm.running_var.clone()
    for step in range(2):
        classifier(100 * torch.randn(8, 4, 1, 200))
        average.update(step)
        decay = (1 + step) / (10 + step)
        expected = decay * expected + (1 - decay) * norm.running_var
    torch.testing.assert_close(averaged[name], expected)
    assert not torch.equal(averaged[name], norm.running_var)
    assert averaged[name.replace("running_var", "num_batches_tracked")] == 2


def test_averaged_weights_are_validated_and_kept(dataset, window_set):
    from eegwf.training.trainer import Trainer

    settings = changed(SETTINGS, ema_decay=0.8, batch_size=4)
    parts = split(window_set, 1)
    torch.manual_seed(0)
    model_parameters = {name: value for name, value in PARAMETERS.items() if name != "lr"}
    classifier = Classifier("vit", {**dataset.shape, "n_outputs": 3}, model_parameters, "patients")
    rows = np.concatenate([parts.train.window, parts.validation.window])
    loader = shared_batch_loader(dataset, rows, "cpu")
    classifier.normalization.fit(loader, parts.train.window)
    trainer = Trainer(classifier, loader, parts, settings, seed=1)
    expected = {name: value.detach().clone() for name, value in classifier.named_parameters()}
    step, decays = trainer.optimizer.step, []

    def step_and_average(*arguments):
        step(*arguments)
        decay = min(0.8, (1 + len(decays)) / (10 + len(decays)))
        for name, value in classifier.named_parameters():
            expected[name] = decay * expected[name] + (1 - decay) * value.detach()
        decays.append(decay)

    trainer.optimizer.step = step_and_average
    record = trainer.epoch([])
    assert len(decays) > 8
    for name, value in trainer.validated_classifier.named_parameters():
        assert torch.allclose(value, expected[name], atol=1e-6)
    predicted = predict(trainer.validated_classifier, dataset, parts.validation.window).argmax(1)
    assert record["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(parts.validation.label, predicted), abs=1e-6
    )
