"""EEGNet: number of parameters, layers and constraints of the paper."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from eegwf.config.training import Training
from eegwf.data.splits import load_window_set, split
from eegwf.models.registry import build
from eegwf.storage.files import read_array, write_array, write_json
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.classifier import Classifier, needed_axes
from eegwf.training.loop import train
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Trainer
from tests.helpers.study import CLASSES, write_study


def eegnet(n_chans=3, n_freqs=1, n_frames=128, n_outputs=3, sfreq=128.0, **parameters):
    torch.manual_seed(0)
    shape = {"n_chans": n_chans, "n_freqs": n_freqs, "n_frames": n_frames, "n_outputs": n_outputs}
    return build("eegnet", shape, parameters, {"sfreq": sfreq}).eval()


def n_parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Write the small study, with time series in addition to its spectrograms."""
    folder = write_study(tmp_path_factory.mktemp("study"))
    series = np.array(read_array(folder / "mel.npy")).reshape(144, 3, 120)
    write_array(folder / "windows.npy", 50 * series)
    write_json(folder / "windows.json", {"sfreq": 30.0, "n_times": 120, "sha256": "0" * 64})
    return folder


@pytest.fixture(scope="module")
def window_set(study):
    return load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)


@pytest.mark.parametrize(("filters", "expected"), [(4, 1066), (8, 2258)])
def test_number_of_parameters_equals_table_3_of_the_paper(filters, expected):
    # 64 channels of 128 samples at 128 Hz, two classes: EEGNet-4,2 and EEGNet-8,2.
    assert n_parameters(eegnet(64, 1, 128, 2, temporal_filters=filters, spatial_filters=2)) == expected


@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        ((19, 1, 1000), {"sfreq": 250.0, "temporal_filters": 5, "spatial_filters": 3, "pointwise_filters": 7}),
        ((3, 10, 12), {"sfreq": 2.9, "kernel": 1.0, "separable_kernel": 2.0}),
        ((20, 64, 96), {"sfreq": 16.0}),
    ],
)
def test_formula_of_the_number_of_parameters_is_exact(shape, parameters):
    f1, d = parameters.get("temporal_filters", 8), parameters.get("spatial_filters", 2)
    f2 = parameters.get("pointwise_filters", f1 * d)
    k1 = max(3, round(parameters.get("kernel", 0.5) * parameters["sfreq"]))
    k2 = max(3, round(parameters.get("separable_kernel", 0.5) * parameters["sfreq"] / 4))
    filters = f1 * (k1 + 2) + d * f1 * (shape[0] * shape[1] + 2) + d * f1 * (k2 + f2) + 2 * f2
    assert n_parameters(eegnet(*shape, **parameters)) == filters + 3 * (f2 * -(-shape[2] // 32) + 1)


@pytest.mark.parametrize(("sfreq", "kernel", "separable"), [(128.0, 64, 16), (250.0, 125, 31), (5.0, 3, 3)])
def test_temporal_filters_are_half_a_second_long_and_at_least_three_samples(sfreq, kernel, separable):
    model = eegnet(n_frames=200, sfreq=sfreq)
    assert weights_of(model, "temporal").shape == (8, kernel)
    assert model.separable[0][1].kernel_size == (1, separable)


def weights_of(model, name_part):
    """Return the temporal or spatial filters of the first block, one per row."""
    (weight,) = (value for name, value in model.named_parameters() if name_part in name and value.ndim > 1)
    return weight.flatten(1)


def reference_output(model, x, training):
    """Compute the layers in the order of the paper, with the weights of a model.

    Returns
    -------
    logits
        Logits `(batch, n_outputs)`.
    statistics
        Running mean and variance of each batch norm after the forward pass.
    """
    temporal, spatial = weights_of(model, "temporal"), weights_of(model, "spatial")
    norms = [module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    depthwise, pointwise = (module for module in model.separable.modules() if isinstance(module, torch.nn.Conv2d))
    statistics = []

    def norm(number, x):
        mean, variance = norms[number].running_mean.clone(), norms[number].running_var.clone()
        statistics.extend([mean, variance])
        return functional.batch_norm(x, mean, variance, norms[number].weight, norms[number].bias, training)

    def over_time(x, weight, groups):
        length = weight.shape[-1]
        return functional.conv2d(functional.pad(x, ((length - 1) // 2, length // 2)), weight, groups=groups)

    x = functional.pad(x.flatten(1, 2)[:, None], (0, -x.shape[3] % 32))
    x = norm(0, over_time(x, temporal[:, None, None], 1))
    x = norm(1, functional.conv2d(x, spatial[:, None, :, None], groups=len(temporal)))
    x = functional.avg_pool2d(functional.elu(x), (1, 4))
    x = functional.conv2d(over_time(x, depthwise.weight, len(spatial)), pointwise.weight)
    x = functional.avg_pool2d(functional.elu(norm(2, x)), (1, 8))
    return functional.linear(x.flatten(1), model.head.weight, model.head.bias), statistics


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        ((19, 1, 300), {"sfreq": 100.0}),
        ((3, 1, 131), {"sfreq": 50.0, "temporal_filters": 4, "spatial_filters": 3, "pointwise_filters": 5}),
        ((3, 1, 40), {"sfreq": 250.0}),  # filters longer than the window
        ((3, 10, 33), {"sfreq": 8.0}),
        ((2, 1, 64), {"sfreq": 2.0}),  # filters of one sample
    ],
    ids=str,
)
def test_output_equals_the_layers_in_the_order_of_the_paper(shape, parameters, training):
    model, generator = eegnet(*shape, dropout=0.0, **parameters), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in model.state_dict().items():  # so that no batch norm is the identity
            if value.is_floating_point() and "norm" in name:
                value.add_(0.3 * torch.rand(value.shape, generator=generator))
    x = torch.randn(8, *shape, generator=generator).cumsum(dim=3) / 3 + 0.5
    expected, statistics = reference_output(model, x, training)
    logits = model.train(training)(x)
    assert torch.allclose(logits, expected, rtol=1e-3, atol=1e-4)
    norms = [value for name, value in model.named_buffers() if name.endswith(("running_mean", "running_var"))]
    assert all(torch.allclose(*pair, rtol=1e-3, atol=1e-5) for pair in zip(norms, statistics, strict=True))
    weights, y = list(model.parameters()), torch.arange(8) % 3
    gradients, expected_gradients = (
        torch.autograd.grad(functional.cross_entropy(output, y), weights) for output in (logits, expected)
    )
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        tolerance = 1e-4 * max(1.0, float(expected_gradient.abs().max()))
        assert torch.allclose(gradient, expected_gradient, rtol=1e-2, atol=tolerance)


@pytest.mark.parametrize("n_frames", [128, 130, 1, 33])
def test_the_last_samples_are_padded_and_used(n_frames):
    model, x = eegnet(n_frames=n_frames), torch.randn(2, 3, 1, n_frames)
    assert model.head.in_features == 16 * -(-n_frames // 32)
    changed = x.clone()
    changed[..., -1] += 1
    assert (model(x) - model(changed)).abs().max() > 1e-6


@torch.no_grad()
def test_each_bin_of_a_spectrogram_is_used_as_a_channel():
    spectrogram_model, series_model = eegnet(3, 10, 40, sfreq=8.0), eegnet(30, 1, 40, sfreq=8.0)
    assert weights_of(spectrogram_model, "spatial").shape == (16, 30)
    x = torch.randn(2, 3, 10, 40)
    assert torch.equal(spectrogram_model(x), series_model(x.reshape(2, 30, 1, 40)))


def test_initial_weights_satisfy_the_constraints():
    assert_constrained(eegnet(1, 1, 40, sfreq=4.0))


def norms_of(network):
    """Return the norms of the spatial filters and of the weights of each class."""
    return weights_of(network, "spatial").norm(dim=1), network.head.weight.norm(dim=1)


def assert_constrained(network):
    spatial, head = norms_of(network)
    assert spatial.shape == (16,) and head.shape == (3,)
    assert spatial.max() <= 1 + 1e-6 and head.max() <= 0.25 + 1e-6


class CheckingTrainer(Trainer):
    """A trainer that checks the constraints after each of its steps."""

    def step(self, *arguments):
        loss = super().step(*arguments)
        assert_constrained(self.classifier.network)
        assert_constrained(self.validated_classifier.network)
        self.n_steps = getattr(self, "n_steps", 0) + 1
        return loss


@pytest.mark.parametrize("array", ["mel.npy", "windows.npy"])
@pytest.mark.parametrize("changes", [{}, {"ema_decay": 0.9}, {"optimizer": "sgd", "lr": 30.0}], ids=str)
def test_constraints_are_satisfied_after_every_step(study, window_set, array, changes):
    dataset, parts = SpectrogramDataset([study / array]), split(window_set, 1)
    torch.manual_seed(0)
    axes = needed_axes("eegnet", {}, dataset)
    classifier = Classifier("eegnet", {**dataset.shape, "n_outputs": 3}, {}, "patients", axes)
    loader = BatchLoader(dataset, np.arange(144), "cpu")
    classifier.normalization.fit(loader, parts.train.window)
    # With these large steps, the optimizer alone violates the constraints.
    large_steps = {"lr": 1.0, "grad_clip_norm": 100.0, "warmup_fraction": 0.0, "schedule": "constant"}
    settings = Training(**{"epochs": 2, "batch_size": 16} | large_steps | changes)
    trainer = CheckingTrainer(classifier, loader, parts, settings, seed=1)
    unconstrained = []  # norms after the optimizer's step, before the constraint
    trainer.optimizer.register_step_post_hook(lambda *_: unconstrained.append(norms_of(classifier.network)))
    history = [trainer.epoch([])]
    trainer.epoch(history)
    assert trainer.n_steps == len(unconstrained) == 6
    assert all(spatial.max() > 1 and head.max() > 0.25 for spatial, head in unconstrained)


@torch.no_grad()
def test_only_weights_above_the_maximum_norm_are_scaled():
    model = eegnet()
    spatial = weights_of(model, "spatial")
    spatial *= 0.1
    spatial[3] *= 1000
    before = spatial.clone()
    model.constrain()
    others = [number for number in range(16) if number != 3]
    assert torch.equal(weights_of(model, "spatial")[others], before[others])
    assert torch.allclose(weights_of(model, "spatial")[3], before[3] / before[3].norm(), atol=1e-6)


def test_eegnet_learns_from_spectrograms(study, window_set):
    settings = Training(epochs=8, patience=8, batch_size=16, lr=1e-2)
    trained = train(
        "eegnet", SpectrogramDataset([study / "mel.npy"]), split(window_set, 1), {"dropout": 0.1}, settings, seed=1
    )
    assert trained.value > 0.5
    assert_constrained(trained.classifier.network)
