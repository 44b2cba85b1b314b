"""Covariance matrices and tangent space regression compared with numpy, scipy and scikit-learn."""

import numpy as np
import pytest
import torch
from scipy import linalg, signal
from sklearn.linear_model import LogisticRegression

from eegwf.models import riemann
from eegwf.models.classical_features import BANDS
from eegwf.models.registry import build
from eegwf.models.spd_matrices import riemannian_mean, unpack

SFREQ, N_CHANS = 128.0, 4


def model_of(n_times=256, n_outputs=3, n_freqs=1, **parameters):
    shape = {"n_chans": N_CHANS, "n_freqs": n_freqs, "n_frames": n_times, "n_outputs": n_outputs}
    return build("riemann", shape, parameters, {"sfreq": SFREQ, "freqs": None})


def series(n=6, n_times=256, seed=0):
    """Time series of correlated channels with an offset, referenced to their average."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, N_CHANS, N_CHANS)) @ rng.normal(0, 10, (n, N_CHANS, n_times))
    return x - x.mean(axis=1, keepdims=True) + 5


def tensor(x):
    return torch.tensor(x, dtype=torch.float32)[:, :, None]


def matrices_of(model, x):
    return unpack(model.features(tensor(x)), N_CHANS).numpy()


def regularized(covariance, shrinkage):
    identity = np.eye(N_CHANS) * np.trace(covariance, axis1=-2, axis2=-1)[..., None, None] / N_CHANS
    return (1 - shrinkage) * covariance + shrinkage * identity


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize("n_times", [256, 255])
def test_covariance_matrices_equal_numpys(n_times):
    x = series(n_times=n_times)
    expected = np.stack([np.cov(window.astype(np.float32), bias=True) for window in x])
    found = matrices_of(model_of(n_times, shrinkage=0.2), x)
    np.testing.assert_allclose(found[:, 0], regularized(expected, 0.2), rtol=1e-5, atol=1e-4)
    assert np.linalg.cond(expected).min() > 1e6  # singular, since the reference is the average
    assert np.linalg.cond(found).max() < 25


@pytest.mark.parametrize("n_times", [256, 255])
def test_matrices_of_bands_are_sums_of_scipys_cross_spectra(n_times):
    x = series(n_times=n_times)
    freqs, density = signal.csd(
        x[:, :, None], x[:, None], SFREQ, window="hann", nperseg=n_times, detrend="constant", scaling="density"
    )
    found = matrices_of(model_of(n_times, bands="classical", shrinkage=0.1), x)
    expected = []
    for low, high in BANDS.values():
        inside = (freqs >= low) & (freqs < high)
        expected.append(density[..., inside].real.sum(axis=3) * SFREQ / n_times)
    np.testing.assert_allclose(found, regularized(np.stack(expected, axis=1), 0.1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n_outputs", [2, 3])
@pytest.mark.parametrize("bands", ["none", "classical"])
def test_probabilities_equal_those_of_scikit_learn_on_scipys_tangent_vectors(n_outputs, bands):
    x = series(60)
    label = np.arange(60) % n_outputs
    x[:, 0] *= 1 + label[:, None]
    model = model_of(n_outputs=n_outputs, bands=bands, C=0.3)
    model.fit(model.features(tensor(x)).numpy(), label, 1.0 + label)
    blocks = []
    for band in matrices_of(model, x).transpose(1, 0, 2, 3):
        inverse = linalg.inv(linalg.sqrtm(riemannian_mean(torch.from_numpy(band)).numpy()).real)
        logarithms = np.stack([linalg.logm(inverse @ matrix @ inverse).real for matrix in band])
        rows, columns = np.triu_indices(N_CHANS)
        blocks.append(logarithms[:, rows, columns] * np.where(rows == columns, 1, 2**0.5))
    solver = LogisticRegression(C=0.3, class_weight={n: 1.0 + n for n in range(n_outputs)}, max_iter=2000)
    expected = solver.fit(np.concatenate(blocks, axis=1), label).predict_proba(np.concatenate(blocks, axis=1))
    assert (expected.argmax(axis=1) == label).mean() > 0.6
    np.testing.assert_allclose(model(tensor(x)).softmax(dim=1), expected, atol=1e-4)


def test_predictions_do_not_depend_on_a_mixture_of_the_channels_without_shrinkage():
    """Affine invariance: with little regularization, another montage of the same rank has the same distances."""
    rng = np.random.default_rng(3)
    x, label = rng.normal(0, 10, (40, N_CHANS, 256)), np.arange(40) % 2
    x[:, 1] *= 1 + label[:, None]
    mixed = np.linalg.qr(rng.normal(size=(N_CHANS, N_CHANS)))[0] @ x
    found = []
    for windows in (x, mixed):
        model = model_of(n_outputs=2, shrinkage=1e-3)
        model.fit(model.features(tensor(windows)).numpy(), label, None)
        found.append(model(tensor(windows)).softmax(dim=1))
    torch.testing.assert_close(*found, atol=1e-3, rtol=0)


def test_the_mean_of_many_windows_is_that_of_windows_at_equal_distances(monkeypatch):
    monkeypatch.setattr(riemann, "MAX_MEAN_WINDOWS", 5)
    x, label = series(41), np.arange(41) % 3
    whole, part = model_of(), model_of()
    whole.fit(whole.features(tensor(x)).numpy(), label, None)
    part.fit(part.features(tensor(x[::10])).numpy(), np.array([0, 1, 2, 0, 1]), None)
    assert torch.equal(whole.whitening, part.whitening)


def test_flat_windows_have_finite_logits_and_gradients():
    x = tensor(series(3))
    x[0] = 3.0  # all channels flat
    x[1, 2:] = 0.0  # equal eigenvalues
    x.requires_grad_()
    logits = model_of(bands="classical")(x)
    (gradient,) = torch.autograd.grad(logits.sum(), x)
    assert logits.isfinite().all() and gradient.isfinite().all() and gradient[2].abs().max() > 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_freqs": 8}, "n_freqs is 8; expected a time series"),
        ({"shrinkage": 0.0}, "shrinkage is 0.0; expected a number between 0 and 1"),
        ({"bands": "fine"}, "unknown bands 'fine'; expected none or classical"),
    ],
)
def test_invalid_parameters_are_rejected(parameters, message):
    with pytest.raises(ValueError, match=message):
        model_of(**parameters)
