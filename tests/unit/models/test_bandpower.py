"""Band power model compared with scipy, numpy and scikit-learn, and its training, retraining and files."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import signal
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from eegwf.config.training import Training
from eegwf.data.splits import load_window_set, split
from eegwf.jobs import retrain
from eegwf.models.bandpower import BANDS
from eegwf.models.registry import build
from eegwf.storage.files import read_array, read_json, read_table, write_array, write_json
from eegwf.training.classifier import load_classifier, predict, save_classifier
from eegwf.training.loop import train
from eegwf.training.sampling import epoch_order
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.study import CLASSES, retrain_settings, tune_config, write_study

NAMES = list(BANDS)
FREQS = list(np.linspace(1, 30, 10))
RNG = np.random.default_rng(0)


def bandpower(n_chans=2, n_freqs=1, n_frames=512, n_outputs=3, sfreq=256.0, freqs=None, **parameters):
    shape = {"n_chans": n_chans, "n_freqs": n_freqs, "n_frames": n_frames, "n_outputs": n_outputs}
    return build("bandpower", shape, parameters, {"sfreq": sfreq, "freqs": freqs})


def band_means(power, freqs):
    """Average a power `(..., n_freqs)` over the frequencies of each band that contains some, `(..., n_bands)`."""
    masks = [(freqs >= low) & (freqs < high) for low, high in BANDS.values()]
    return np.stack([power[..., mask].mean(axis=-1) for mask in masks if mask.any()], axis=-1)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Write the small study, with time series of 120 samples at 60 Hz and two parameter sets."""
    folder = write_study(tmp_path_factory.mktemp("study"))
    x = np.array(read_array(folder / "mel.npy"), dtype=np.float64)
    times = np.arange(120) / 60
    amplitude = np.exp(0.2 * x.mean(axis=3))[..., None]  # one sine for each frequency of the spectrogram
    series = (10 * amplitude * np.sin(2 * np.pi * np.linspace(2, 28, 10)[:, None] * times)).sum(axis=2)
    write_array(folder / "windows.npy", series.astype(np.float16))
    write_json(folder / "windows.json", {"sfreq": 60.0, "n_times": 120, "sha256": "1" * 64})
    best = [{"rank": 1, "trial": 0, "value": 0.5, "params": {"C": 1.0}}]
    write_json(folder / "best.json", [*best, {"rank": 2, "trial": 1, "value": 0.4, "params": {"C": 0.01}}])
    return folder


@pytest.fixture(scope="module")
def window_set(study):
    return load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)


@pytest.mark.parametrize(
    ("hertz", "band"), [(2.0, "delta"), (6.0, "theta"), (10.0, "alpha"), (20.0, "beta"), (50.0, "gamma")]
)
def test_the_power_of_a_sine_is_in_its_band(hertz, band):
    sine = 20 * np.sin(2 * np.pi * hertz * np.arange(512) / 256)
    x = torch.tensor(np.stack([sine, sine * 2]), dtype=torch.float32)[None, :, None]
    power = bandpower().log_power(x)[0].exp()
    assert [NAMES[number] for number in power.argmax(dim=1)] == [band, band]
    others = [number for number in range(5) if NAMES[number] != band]
    assert (power.amax(dim=1) > 1000 * power[:, others].amax(dim=1)).all()
    assert torch.allclose(power[1, power[1].argmax()], 4 * power[0].max(), rtol=1e-4)


@pytest.mark.parametrize(("sfreq", "n_frames"), [(256.0, 512), (200.0, 401), (500.0, 333)])
@pytest.mark.parametrize("relative", [False, True])
def test_band_power_of_a_time_series_equals_scipys_periodogram(sfreq, n_frames, relative):
    x = RNG.normal(3, 20, (4, 2, 1, n_frames)).cumsum(axis=3) / 4
    freqs, density = signal.periodogram(x[:, :, 0], sfreq, window="hann", detrend="constant")
    welch = signal.welch(x[:, :, 0], sfreq, window="hann", nperseg=n_frames, detrend="constant")[1]
    np.testing.assert_allclose(density, welch)
    expected = band_means(density * sfreq / 2, freqs)  # from a one-sided density to power
    if relative:
        expected = expected / expected.sum(axis=2, keepdims=True)
    model = bandpower(n_frames=n_frames, sfreq=sfreq, relative=relative)
    log_power = model.log_power(torch.tensor(x, dtype=torch.float32))
    assert log_power.shape == (4, 2, 5)
    np.testing.assert_allclose(log_power, np.log(expected), atol=1e-4)


def test_band_power_of_a_spectrogram_is_the_mean_of_its_linear_power():
    freqs = np.geomspace(1, 70, 24)
    x = RNG.normal(0, 8, (4, 2, 24, 30))
    expected = np.log(band_means((10 ** (x / 10)).mean(axis=3), freqs))
    model = bandpower(2, 24, 30, freqs=[list(freqs)])
    np.testing.assert_allclose(model.log_power(torch.tensor(x, dtype=torch.float32)), expected, atol=1e-4)


def test_stacked_spectrograms_have_separate_frequencies():
    linear, geometric = np.linspace(1, 40, 24), np.geomspace(0.7, 79, 24)
    x = RNG.normal(0, 8, (3, 4, 24, 6))
    power = (10 ** (x / 10)).mean(axis=3)
    expected = np.concatenate([band_means(power[:, :2], linear), band_means(power[:, 2:], geometric)], axis=1)
    model = bandpower(4, 24, 6, freqs=[list(linear), list(geometric)])
    np.testing.assert_allclose(model.log_power(torch.tensor(x, dtype=torch.float32)), np.log(expected), atol=1e-4)
    with pytest.raises(ValueError, match="n_chans is 3; expected a multiple of 2"):
        bandpower(3, 24, 6, freqs=[list(linear), list(geometric)])


@pytest.mark.parametrize(
    ("freqs", "bands"),
    [
        ([[1.0, 9.0, 12.0, 20.0]], ["delta", "alpha", "beta"]),
        # The lower edge belongs to a band, the upper edge does not.
        ([[8.0, 13.0, 30.0, 80.0]], ["alpha", "beta", "gamma"]),
        # A band must contain a frequency of every stacked spectrogram.
        ([[1.0, 5.0, 9.0, 20.0], [5.0, 6.0, 20.0, 40.0]], ["theta", "beta"]),
    ],
)
def test_bands_without_a_frequency_are_omitted(freqs, bands):
    model = bandpower(2, 4, 3, freqs=freqs)
    assert model.n_bands == len(bands) and model.head.in_features == 2 * len(bands)
    for band in bands:
        low, high = BANDS[band]
        x = torch.zeros(1, 2, 4, 3)
        x[0, 0, torch.tensor([low <= hertz < high for hertz in freqs[0]])] = 30.0
        assert model.log_power(x)[0, 0].argmax() == bands.index(band)
    assert model.log_power(torch.randn(1, 2, 4, 3)).isfinite().all()


def test_an_input_without_any_band_is_rejected():
    with pytest.raises(ValueError, match="no band contains a frequency of the input, 90 to 200 Hz"):
        bandpower(2, 3, 4, freqs=[[90.0, 100.0, 200.0]])


def test_the_log_power_of_a_flat_channel_is_finite():
    assert bandpower().log_power(torch.full((1, 2, 1, 512), 7.0)).isfinite().all()
    assert (
        bandpower(2, 10, 3, freqs=[FREQS], relative=True).log_power(torch.full((1, 2, 10, 3), -40.0)).isfinite().all()
    )


@pytest.mark.parametrize("n_outputs", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_probabilities_equal_those_of_scikit_learn(n_outputs, weighted):
    rng = np.random.default_rng(1)
    label = np.minimum(rng.integers(0, 2 * n_outputs, 240), n_outputs - 1)  # the last class is the largest
    x = rng.normal(0, 6, (240, 2, 10, 12)) + 2 * label[:, None, None, None] * rng.normal(0, 1, (2, 10, 1))
    x[:, 1, :4] = 3.0  # constant bands
    model = bandpower(2, 10, 12, n_outputs, freqs=[FREQS], C=0.3)
    features = model.log_power(torch.tensor(x, dtype=torch.float32)).numpy()
    weight = {number: 1 / share for number, share in enumerate(np.bincount(label) / 240)} if weighted else None
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.fit(features, label, weight)
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, class_weight=weight, max_iter=2000))
    reference.fit(features.reshape(240, -1).astype(np.float64), label)
    probabilities = model(torch.tensor(x, dtype=torch.float32)).softmax(dim=1)
    expected = reference.predict_proba(features.reshape(240, -1).astype(np.float64))
    assert (expected.argmax(axis=1) == label).mean() > 0.5
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    assert all(not torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_weight_of_a_window_is_the_number_of_its_copies():
    rng = np.random.default_rng(1)
    label, times = rng.integers(0, 3, 120), rng.integers(1, 5, 120)
    x = torch.tensor(rng.normal(0, 6, (120, 2, 10, 12)) + 2 * label[:, None, None, None], dtype=torch.float32)
    model = bandpower(2, 10, 12, 3, freqs=[FREQS], C=0.3)
    features = model.log_power(x).numpy()
    model.fit(features, label, None, times.astype(float))
    standardized = StandardScaler().fit_transform(features.reshape(120, -1).astype(np.float64))
    reference = LogisticRegression(C=0.3, max_iter=2000)
    reference.fit(np.repeat(standardized, times, axis=0), np.repeat(label, times))
    expected = reference.predict_proba(standardized)
    np.testing.assert_allclose(model(x).softmax(dim=1).detach(), expected, atol=1e-4)
    assert (
        np.abs(LogisticRegression(C=0.3).fit(standardized, label).predict_proba(standardized) - expected).max() > 0.05
    )


def test_training_is_reproducible_and_saved_coefficients_are_loaded(study, window_set, tmp_path):
    for array in ("mel.npy", "windows.npy"):
        dataset = SpectrogramDataset([study / array])
        first, second = (
            train("bandpower", dataset, split(window_set, 1), {}, Training(), seed=seed) for seed in (1, 1)
        )
        assert first.history == second.history and first.best_epoch == len(first.history) == 1
        axes = {key: dataset.axes[key] for key in ("sfreq", "freqs")}
        description = {"model": "bandpower", "shape": {**dataset.shape, "n_outputs": 3}, "parameters": {}, "axes": axes}
        for folder, trained in (("first", first), ("second", second)):
            save_classifier(tmp_path / folder, trained.classifier, {**description, "normalization": "none"})
        files = [(tmp_path / folder / "model.safetensors").read_bytes() for folder in ("first", "second")]
        assert files[0] == files[1]
        loaded, _ = load_classifier(tmp_path / "first")
        x = dataset.read(np.arange(30))
        assert torch.equal(loaded(x), first.classifier(x))
        assert loaded(x).std(dim=0).min() > 1e-3


@pytest.mark.parametrize("array", ["mel.npy", "windows.npy"])
def test_training_fits_the_training_windows_and_scores_the_validation_windows(study, window_set, array):
    dataset, parts = SpectrogramDataset([study / array]), split(window_set, 1)
    trained = train("bandpower", dataset, parts, {"C": 0.1}, Training(normalization="patients"), seed=1)
    assert trained.classifier.normalization.kind == "none"  # the model normalizes its input itself
    network = trained.classifier.network
    features = network.log_power(dataset.read(np.arange(144))).reshape(144, -1).double().numpy()
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    reference.fit(features[parts.train.window], parts.train.label)
    logits = predict(trained.classifier, dataset, parts.validation.window)
    expected = reference.predict_proba(features[parts.validation.window])
    np.testing.assert_allclose(logits.softmax(dim=1), expected, atol=1e-4)
    score = balanced_accuracy_score(parts.validation.label, expected.argmax(axis=1))
    assert trained.value == pytest.approx(score, abs=1e-6) and score > 0.4


@pytest.mark.parametrize("balance", ["none", "weights", "sampling", "undersampling"])
def test_class_balance_determines_the_class_weights(study, window_set, balance):
    dataset, parts = SpectrogramDataset([study / "mel.npy"]), split(window_set, 1)
    kept = (parts.train.label > 0) | (np.arange(len(parts.train.label)) < 12)  # class 0 is the smallest
    train_part = parts.train.select(kept)
    counts = np.bincount(train_part.label)
    assert counts[0] < counts[1]
    trained = train("bandpower", dataset, replace(parts, train=train_part), {}, Training(class_balance=balance), seed=1)
    network = trained.classifier.network
    features = network.log_power(dataset.read(train_part.window)).reshape(kept.sum(), -1).double().numpy()
    label = train_part.label
    if balance == "undersampling":  # equal numbers of windows of all classes
        order = np.sort(epoch_order(label, balance, 1, 0))
        assert (np.bincount(label[order]) == counts[0]).all()
        features, label, train_part = features[order], label[order], train_part.select(order)
    weight = "balanced" if balance in ("weights", "sampling") else None
    reference = make_pipeline(StandardScaler(), LogisticRegression(class_weight=weight, max_iter=2000))
    reference.fit(features, label)
    probabilities = predict(trained.classifier, dataset, train_part.window).softmax(dim=1)
    np.testing.assert_allclose(probabilities, reference.predict_proba(features), atol=1e-4)


@pytest.mark.parametrize("patient_balance", ["equal", "sqrt"])
@pytest.mark.parametrize("balance", ["none", "sampling", "undersampling"])
def test_patient_balance_determines_the_weights_of_the_windows(study, window_set, balance, patient_balance):
    dataset, parts = SpectrogramDataset([study / "mel.npy"]), split(window_set, 1)
    small = parts.train.patient == parts.train.patient[0]
    train_part = parts.train.select(~small | (np.cumsum(small) <= 6))  # one patient with 6 windows of 24
    settings = Training(class_balance=balance, patient_balance=patient_balance)
    trained = train("bandpower", dataset, replace(parts, train=train_part), {}, settings, seed=1)
    network = trained.classifier.network
    features = network.log_power(dataset.read(train_part.window)).reshape(len(train_part.label), -1).double().numpy()
    label, patient = train_part.label, train_part.patient
    fitted, weights = np.arange(len(label)), np.empty(len(label))
    for number, name in set(zip(label.tolist(), patient.tolist(), strict=True)):
        of_class = label == number
        sizes = {each: np.sum(of_class & (patient == each)) for each in set(patient[of_class])}
        power = {"equal": 0.0, "sqrt": 0.5}[patient_balance]
        share = sizes[name] ** power / sum(size**power for size in sizes.values())
        weights[of_class & (patient == name)] = share * of_class.sum() / sizes[name]
        if balance == "sampling":
            weights[of_class & (patient == name)] *= len(label) / (3 * of_class.sum())
    if balance == "undersampling":
        fitted = np.sort(epoch_order(label, balance, 1, 0, patient, patient_balance))
        weights = np.ones(len(label))
    scaler = StandardScaler().fit(features[fitted])
    reference = LogisticRegression(max_iter=2000)
    reference.fit(scaler.transform(features[fitted]), label[fitted], sample_weight=weights[fitted])
    probabilities = predict(trained.classifier, dataset, train_part.window).softmax(dim=1)
    np.testing.assert_allclose(probabilities, reference.predict_proba(scaler.transform(features)), atol=1e-4)


@pytest.mark.parametrize("array", ["mel.npy", "windows.npy"])
def test_retraining_writes_five_reproducible_files_for_every_rank(study, tmp_path, array):
    settings = retrain_settings(tune_config(model="bandpower"), seeds=2)
    written = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        retrain.run(
            settings=settings,
            name="bandpower_mel_3class_fold2",
            fold=2,
            code="x",
            windows=study / "windows.tsv",
            folds=study / "folds.tsv",
            arrays=[study / array],
            best=study / "best.json",
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
    assert set(json.loads(written[0]["retrain/rank1/model.json"])["axes"]) == {"sfreq", "freqs"}
    folder = tmp_path / "1" / "retrain" / "rank1"
    loaded, description = load_classifier(folder)
    table = read_table(folder / "test.tsv", text=("patient", "label", "predicted"))
    classes = np.array(description["classes"])
    predicted = loaded(SpectrogramDataset([study / array]).read(table["window"].to_numpy())).argmax(dim=1).numpy()
    assert list(classes[predicted]) == list(table["predicted"])
    assert len(read_table(folder / "history.tsv")) == 1 and read_json(folder / "model.json")["best_epoch"] == 1


def test_no_parameter_is_trained_by_gradient_descent():
    assert not any(parameter.requires_grad for parameter in bandpower().parameters())
