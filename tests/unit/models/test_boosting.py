"""Boosting compared with scikit-learn's own predictions, and its files."""

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from sklearn.ensemble import HistGradientBoostingClassifier

from eegwf.models.boosting import MAX_BINS, bin_edges
from eegwf.models.registry import build

FREQS = list(np.linspace(1, 30, 10))


def boosting(n_outputs=3, **parameters):
    shape = {"n_chans": 2, "n_freqs": 10, "n_frames": 12, "n_outputs": n_outputs}
    return build("boosting", shape, parameters, {"sfreq": 1.0, "freqs": [FREQS]})


def example(n_outputs, n=250, seed=1):
    """Windows whose classes differ by their power, unequally frequent, and features with tied values."""
    rng = np.random.default_rng(seed)
    label = np.minimum(rng.integers(0, 2 * n_outputs, n), n_outputs - 1)
    x = rng.normal(0, 6, (n, 2, 10, 12)) + 2 * label[:, None, None, None] * rng.normal(0, 1, (2, 10, 1))
    x[:, 1, :4] = x[:, 1, :4].round(-1)[..., :1]
    return torch.tensor(x, dtype=torch.float32), label


def reference(features, label, weight, **parameters):
    found = HistGradientBoostingClassifier(
        early_stopping=False, class_weight=weight, random_state=0, categorical_features=None, **parameters
    )
    return found.fit(features.reshape(len(features), -1), label)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize("n_outputs", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_probabilities_equal_those_of_scikit_learn(n_outputs, weighted):
    x, label = example(n_outputs)
    unseen = example(n_outputs, seed=2)[0]
    weight = {number: 1 / share for number, share in enumerate(np.bincount(label) / len(label))} if weighted else None
    model = boosting(n_outputs, n_iterations=30, shrinkage=0.2, max_leaves=9, min_leaf=5, l2=0.3)
    model.fit(model.features(x).numpy(), label, np.vectorize(weight.get)(label) if weight else None)
    settings = {"max_iter": 30, "learning_rate": 0.2, "max_leaf_nodes": 9, "min_samples_leaf": 5}
    own = reference(model.features(x).numpy(), label, weight, l2_regularization=0.3, **settings)
    assert (model(x).argmax(dim=1).numpy() == label).mean() > 0.9
    for windows in (x, unseen):
        features = model.features(windows).flatten(1).numpy()
        logits = model(windows)
        np.testing.assert_allclose(logits.double().softmax(dim=1), own.predict_proba(features), atol=1e-6)
        scores = own.decision_function(features)
        found = logits[:, 1] - logits[:, 0] if n_outputs == 2 else logits
        np.testing.assert_allclose(found, scores, atol=1e-6)
        np.testing.assert_allclose(model.head(torch.from_numpy(features)).squeeze(1), scores, atol=1e-12)


def test_bins_of_many_windows_have_about_equal_numbers_and_edges_between_values():
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=5000), rng.normal(size=5000).round(2), np.repeat([1.0, 2.0, 3.0], [4000, 10, 10])):
        edges = bin_edges(values)
        assert (np.diff(edges) > 0).all() and not np.isin(edges, values).any()
        counts = np.bincount(np.searchsorted(edges, values))
        assert len(edges) < MAX_BINS and counts.min() > 0
        most = np.unique(values, return_counts=True)[1].max()
        assert counts.max() <= 5000 / MAX_BINS + most
    assert len(bin_edges(np.ones(10))) == 0


def test_trees_of_many_windows_equal_those_that_scikit_learn_grows_on_the_bins():
    x, label = example(3, n=700)
    model = boosting(n_iterations=15, min_leaf=3, max_leaves=20, l2=0.0)
    features = model.features(x).flatten(1).double().numpy()
    model.fit(features.astype(np.float32), label, None)
    binned = np.stack([np.searchsorted(bin_edges(column), column) for column in features.T], axis=1)
    own = reference(binned, label, None, max_iter=15, max_leaf_nodes=20, min_samples_leaf=3)
    np.testing.assert_allclose(model(x), own.decision_function(binned), atol=1e-6)


def test_saved_trees_load_into_a_new_model():
    x, label = example(3)
    model = boosting(n_iterations=10)
    model.fit(model.features(x).numpy(), label, None)
    other = boosting(n_iterations=10)
    assert not torch.equal(other(x), model(x))
    other.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(other(x), model(x))


def test_a_fit_depends_on_its_windows_only():
    x, label = example(3)
    features = boosting().features(x).numpy()
    first, second = boosting(max_leaves=31, min_leaf=2), boosting(max_leaves=31, min_leaf=2)
    second.fit(features[::-1].copy(), label, None)
    for model in (first, second):
        model.fit(features[:60], label[:60], None)
    assert all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())


def test_constant_features_give_the_proportions_of_the_classes():
    features, label = np.ones((60, 2, 5), dtype=np.float32), np.repeat([0, 1, 2], [10, 20, 30])
    model = boosting()
    model.fit(features, label, None)
    found = model.logits(torch.from_numpy(features)).softmax(dim=1)
    np.testing.assert_allclose(found, np.tile([[1 / 6, 1 / 3, 1 / 2]], (60, 1)), atol=1e-3)


def test_impossible_parameters_are_errors():
    x, label = example(3)
    model = boosting(shrinkage=-1.0)
    with pytest.raises(ValueError, match="learning_rate"):
        model.fit(model.features(x).numpy(), label, None)
