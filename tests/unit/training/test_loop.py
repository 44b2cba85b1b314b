"""The training function: what it restores, resumes, and never looks at."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import balanced_accuracy_score, f1_score

from eegwf.config.training import Training
from eegwf.data.splits import load_cohort, split
from eegwf.storage.files import read_array, write_array
from eegwf.training.classifier import (
    Classifier,
    Normalisation,
    load_classifier,
    predict,
    save_classifier,
)
from eegwf.training.loop import train
from eegwf.training.predictions import predictions_table
from eegwf.training.spectrogram_dataset import Inputs
from eegwf.training.trainer import Diverged
from tests.helpers.study import CLASSES, write_study

PARAMETERS = {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2, "depth": 1, "lr": 3e-3}
SETTINGS = Training(epochs=6, patience=6, batch_size=16)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def cohort(study):
    return load_cohort(study / "windows.tsv", study / "folds.tsv", CLASSES)


@pytest.fixture(scope="module")
def inputs(study):
    return Inputs([study / "mel.npy"])


def run(inputs, cohort, settings=SETTINGS, seed=1, **options):
    torch.set_num_threads(1)
    return train("vit", inputs, split(cohort, 1), PARAMETERS, settings, seed=seed, **options)


def bytes_of(classifier):
    return {name: value.numpy().tobytes() for name, value in classifier.state_dict().items()}


def test_it_learns_and_scores_as_scikit_learn_does(inputs, cohort):
    trained = run(inputs, cohort)
    parts = split(cohort, 1)
    predicted = predict(trained.classifier, inputs, parts.validation.window).argmax(1)
    truth = parts.validation.label
    assert trained.value == pytest.approx(balanced_accuracy_score(truth, predicted), abs=1e-6)
    assert trained.value > 0.5
    assert trained.history[trained.best_epoch - 1]["macro_f1"] == pytest.approx(
        f1_score(truth, predicted, average="macro"), abs=1e-6
    )


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(inputs, cohort):
    one, two, other = run(inputs, cohort), run(inputs, cohort), run(inputs, cohort, seed=2)
    assert bytes_of(one.classifier) == bytes_of(two.classifier)
    assert one.history == two.history
    assert bytes_of(one.classifier) != bytes_of(other.classifier)


VARIANTS = {
    "adamw": {},
    "adam": {"optimizer": "adam"},
    "sgd": {"optimizer": "sgd"},
    "average": {"ema": 0.9},
    "plateau": {"schedule": "plateau", "plateau": 1, "lr": 1e-2},
    "augmented": {"mixup": 0.3, "mask_freqs": 0.3, "mask_times": 0.3, "shift_times": 0.2, "drop_channels": 0.1},
    "focal": {"focal": 2.0, "balance": "weights", "label_smoothing": 0.1},
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("stop_after", [1, 3, 6])
def test_a_training_stopped_after_any_epoch_goes_on_to_the_same_bytes(inputs, cohort, tmp_path, variant, stop_after):
    settings = SETTINGS.model_copy(update=VARIANTS[variant])
    whole = run(inputs, cohort, settings)

    class Stop(Exception):
        pass

    def stop(history):
        if len(history) == stop_after:
            raise Stop

    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Stop):
        run(inputs, cohort, settings, checkpoint=path, on_epoch=stop)
    heard = []
    resumed = run(inputs, cohort, settings, checkpoint=path, on_epoch=lambda history: heard.append(len(history)))
    assert heard == list(range(1, len(whole.history) + 1))
    assert resumed.history == whole.history
    assert bytes_of(resumed.classifier) == bytes_of(whole.classifier)


def test_nothing_outside_the_split_is_read(study, inputs, cohort, tmp_path):
    whole = run(inputs, cohort)
    poisoned = np.array(read_array(study / "mel.npy"))
    poisoned[cohort.only(1).window] = np.nan
    write_array(tmp_path / "mel.npy", poisoned)
    again = run(Inputs([tmp_path / "mel.npy"]), cohort)
    assert bytes_of(again.classifier) == bytes_of(whole.classifier)


def test_normalisation_comes_from_the_training_windows_alone(inputs, cohort):
    rows = split(cohort, 1).train.window
    norm = Normalisation("patients", inputs.n_chans, inputs.n_freqs)
    norm.fit(inputs, rows)
    x = np.asarray(inputs.arrays[0][np.sort(rows)], dtype=np.float64)
    np.testing.assert_allclose(norm.mean[:, :, 0], x.mean(axis=(0, 3)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(norm.deviation[:, :, 0], x.std(axis=(0, 3)), rtol=1e-5)
    out = norm(inputs.read(rows))
    assert out.mean(dim=(0, 3)).abs().max() < 1e-3
    assert "normalisation.mean" in run(inputs, cohort).classifier.state_dict()


def test_normalisation_by_window_looks_at_that_window_alone(inputs):
    norm = Normalisation("window", inputs.n_chans, inputs.n_freqs)
    x = inputs.read(np.arange(4))
    out = norm(x)
    assert torch.allclose(out[1:2], norm(x[1:2]))
    assert out.mean(dim=(2, 3)).abs().max() < 1e-5


def test_a_loss_that_is_no_number_ends_the_training(inputs, cohort):
    with pytest.raises(Diverged, match="loss"):
        train("vit", inputs, split(cohort, 1), {**PARAMETERS, "lr": 1e30, "optimizer": "sgd"}, SETTINGS, seed=1)


def test_saved_and_loaded_weights_give_the_same_logits(inputs, cohort, tmp_path):
    trained = run(inputs, cohort)
    own = {name: value for name, value in PARAMETERS.items() if name != "lr"}
    shape = {**inputs.shape, "n_outputs": 3}
    description = {"model": "vit", "shape": shape, "parameters": own, "normalisation": "patients"}
    save_classifier(tmp_path, trained.classifier, description)
    loaded, _ = load_classifier(tmp_path)
    rows = np.arange(20)
    assert torch.equal(predict(loaded, inputs, rows), predict(trained.classifier, inputs, rows))
    assert set(load_file(tmp_path / "model.safetensors")) == set(loaded.state_dict())


def test_predictions_name_the_largest_p_and_the_first_on_a_tie(cohort):
    part = cohort.only(1)
    logits = torch.randn(len(part.window), 3, generator=torch.Generator().manual_seed(0))
    logits[0] = torch.tensor([0.0, 1.0, 1.0])
    table = predictions_table(part, logits)
    p = table[["p_background", "p_focal", "p_generalized"]].to_numpy()
    assert table["predicted"][0] == "focal"
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-8)
    e = np.exp(logits.double().numpy())
    np.testing.assert_allclose(p, e / e.sum(axis=1, keepdims=True), rtol=1e-8)
    assert list(table["predicted"]) == [list(CLASSES)[number] for number in p.argmax(axis=1)]


def test_a_fold_without_windows_gives_an_empty_table(inputs, cohort):
    nobody = cohort.only(99)
    trained = run(inputs, cohort, Training(epochs=1))
    table = predictions_table(nobody, predict(trained.classifier, inputs, nobody.window))
    assert len(table) == 0 and list(table.columns[-3:]) == ["p_background", "p_focal", "p_generalized"]


def test_a_training_that_diverges_later_keeps_its_best_epoch(inputs, cohort, monkeypatch):
    from eegwf.training.trainer import Trainer

    whole, validate = run(inputs, cohort), Trainer.validate
    epochs = []

    def diverge(*arguments):
        epochs.append(1)
        if len(epochs) == 3:
            raise Diverged("the validation loss is nan")
        return validate(*arguments)

    monkeypatch.setattr(Trainer, "validate", diverge)
    cut = run(inputs, cohort)
    assert cut.history == whole.history[:2]
    assert cut.value == max(record["balanced_accuracy"] for record in cut.history)


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "adamw"])
def test_every_setting_changes_the_weights(inputs, cohort, variant):
    """A setting that nothing listens to would leave them as they are."""
    assert bytes_of(run(inputs, cohort).classifier) != bytes_of(
        run(inputs, cohort, SETTINGS.model_copy(update=VARIANTS[variant])).classifier
    )


def test_checkpoints_take_their_share_of_the_time_alone(inputs, cohort, tmp_path, monkeypatch):
    from eegwf.training import loop

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock, written = Clock(), []

    def write(path, checkpoint):
        clock.now += 1.0
        written.append(len(checkpoint.history))

    monkeypatch.setattr(loop, "time", clock)
    monkeypatch.setattr(loop, "write_checkpoint", write)
    settings = SETTINGS.model_copy(update={"epochs": 30, "patience": 30})

    def epoch_passes(history):
        clock.now += 7.0

    run(inputs, cohort, settings, checkpoint=tmp_path / "c.safetensors", on_epoch=epoch_passes)
    # A second each, so 20 s apart: three epochs of 7 s; and the last one, so that it is not trained again.
    assert written == [1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 30]


def test_the_average_is_what_is_validated_and_kept(inputs, cohort):
    from eegwf.training.batch_loader import batches_of
    from eegwf.training.trainer import Trainer

    settings = SETTINGS.model_copy(update={"ema": 0.8, "batch_size": 4})
    parts = split(cohort, 1)
    torch.manual_seed(0)
    own = {name: value for name, value in PARAMETERS.items() if name != "lr"}
    classifier = Classifier("vit", {**inputs.shape, "n_outputs": 3}, own, "patients")
    classifier.normalisation.fit(inputs, parts.train.window)
    rows = np.concatenate([parts.train.window, parts.validation.window])
    trainer = Trainer(classifier, batches_of(inputs, rows, "cpu"), parts, settings, seed=1)
    expected = {name: value.detach().clone() for name, value in classifier.named_parameters()}
    step, done = trainer.optimizer.step, []

    def follow(*arguments):
        step(*arguments)
        decay = min(0.8, (1 + len(done)) / (10 + len(done)))
        for name, value in classifier.named_parameters():
            expected[name] = decay * expected[name] + (1 - decay) * value.detach()
        done.append(decay)

    trainer.optimizer.step = follow
    record = trainer.epoch([])
    assert len(done) > 8
    for name, value in trainer.chosen.named_parameters():
        assert torch.allclose(value, expected[name], atol=1e-6)
    predicted = predict(trainer.chosen, inputs, parts.validation.window).argmax(1)
    assert record["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(parts.validation.label, predicted), abs=1e-6
    )
