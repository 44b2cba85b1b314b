"""Attribution methods: known values, batches, and models that read one planted channel, band or second."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from eegwf.attribution import attention
from eegwf.attribution.attention import recorded
from eegwf.attribution.attribute import Context, attribute
from eegwf.attribution.cells import make_cells
from eegwf.attribution.methods import CONTROLS, METHODS, methods_of, refusal
from eegwf.attribution.target import contrast
from eegwf.config.explanation import MethodName
from eegwf.models.registry import MODELS
from eegwf.training.classifier import predict
from tests.helpers.planted import PLANTED, trained_on, write_planted
from tests.helpers.planted import SHAPE as PLANTED_SHAPE
from tests.helpers.small_models import SMALL, every_model, make, random_input, unnormalized

FREQS = [1.0, 2.0, 3.0, 5.0, 6.0, 7.0, 9.0, 10.0, 11.0, 15.0, 20.0, 25.0]
DESCRIBED = [
    {"spectrogram": "mel", "ch_names": ["a", "b", "c"], "freqs": FREQS, "times": list(0.125 + 0.25 * np.arange(16))}
]
CELLS = make_cells(DESCRIBED, 1.0)
# Methods whose maps are as fine as the input, for all models.
FINE = ("saliency", "input_x_gradient", "smoothgrad", "integrated_gradients", "shapley_gradients", "occlusion")


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


class Linear(nn.Module):
    """A network whose logits are linear in the input."""

    def __init__(self, n_outputs=3, shape=(3, 12, 16)):
        super().__init__()
        self.weight = nn.Parameter(random_input(n_outputs, *shape, seed=5))

    def forward(self, x):
        return torch.einsum("ncft,kcft->nk", x, self.weight)


def context(n_baselines=2, **changes):
    return Context(random_input(n_baselines, 3, 12, 16, seed=9), CELLS, seed=1, **changes)


def model_name(name):
    """Name in the table of methods."""
    return name if name in MODELS else "timm"


def test_configuration_and_table_have_the_same_methods():
    assert get_args(MethodName) == tuple(METHODS)


def test_a_method_that_is_not_valid_is_refused_with_a_reason():
    assert refusal("attention_rollout", "vit") == ""
    assert refusal("attention_rollout", "swin").startswith("attention rollout: not defined for swin; its layers")
    assert refusal("deeplift", "vit").startswith("DeepLift: not defined for vit; ")
    assert refusal("gradcam", "my-backbone") == "" and refusal("deeplift", "my-backbone")
    assert refusal("saliency", "boosting").startswith("saliency: not defined for boosting; its score is a piecewise")
    assert methods_of("boosting") == ("occlusion",) and methods_of("riemann") == methods_of("bandpower")
    assert "attention_weights" in methods_of("lstm") and "attention_weights" not in methods_of("transformer")
    assert all("occlusion" in methods_of(model) for model in (*MODELS, "my-backbone"))


@pytest.mark.parametrize("method", ["integrated_gradients", "shapley_gradients", "input_x_gradient", "deeplift"])
def test_map_of_a_linear_model_is_weight_times_difference_from_the_baseline(method):
    network, x, target = Linear(), random_input(4, 3, 12, 16), torch.tensor([0, 1, 2, 1])
    given = context()
    maps = attribute(method, unnormalized(network), x, target, given)
    others = (network.weight.sum(dim=0) - network.weight[target]) / 2
    expected = (network.weight[target] - others) * (x - given.baselines.mean(dim=0))
    torch.testing.assert_close(maps, expected.detach(), atol=1e-5, rtol=1e-5)


def test_saliency_of_a_linear_model_is_the_absolute_weight_of_the_contrast():
    network, x = Linear(n_outputs=2), random_input(3, 3, 12, 16)
    for method in ("saliency", "smoothgrad"):
        maps = attribute(method, unnormalized(network), x, torch.zeros(3, dtype=torch.long), context())
        expected = (network.weight[0] - network.weight[1]).abs().detach()
        torch.testing.assert_close(maps, expected.expand_as(maps), atol=1e-5, rtol=1e-4)


@every_model
def test_saliency_agrees_with_finite_differences(name, layout):
    # The LSTM and the first block of EEGNet compute in single precision.
    single = name in ("lstm", "eegnet")
    step_size, tolerance = (1e-2, 1e-2) if single else (1e-7, 1e-3)
    network = make(name, layout).to(torch.float32 if single else torch.float64)
    x, target = random_input(2, 3, 12, 16).to(torch.float32 if single else torch.float64), torch.tensor([2, 0])
    maps = attribute("saliency", unnormalized(network), x, target, context())
    rng = np.random.default_rng(0)
    for place in zip(rng.integers(0, 3, 6), rng.integers(0, 12, 6), rng.integers(0, 16, 6), strict=True):
        step = torch.zeros_like(x)
        step[(slice(None), *place)] = step_size
        with torch.no_grad():
            difference = contrast(network(x + step), target) - contrast(network(x - step), target)
        found = maps[(slice(None), *place)]
        expected = (difference / (2 * step_size)).abs().to(found.dtype)
        torch.testing.assert_close(found, expected, atol=tolerance * float(maps.max()), rtol=tolerance)


@every_model
def test_maps_do_not_depend_on_the_batch(name, layout):
    classifier, x = unnormalized(make(name, layout)), random_input(5, 3, 12, 16)
    target, rows = torch.tensor([0, 1, 2, 1, 0]), [7, 3, 11, 4, 20]
    for method in (*methods_of(model_name(name)), *CONTROLS):
        together = attribute(method, classifier, x, target, context(), rows)
        assert together.shape == x.shape and together.isfinite().all()
        alone = [
            attribute(method, classifier, x[i : i + 1], target[i : i + 1], context(), rows[i : i + 1]) for i in range(5)
        ]
        scale = together.abs().max()
        torch.testing.assert_close(together / scale, torch.cat(alone) / scale, atol=5e-3, rtol=0, msg=method)


@every_model
def test_integrated_gradients_and_deeplift_are_complete(name, layout):
    network, x, target = make(name, layout), random_input(4, 3, 12, 16), torch.tensor([0, 1, 2, 0])
    given = context(n_steps=64)
    with torch.no_grad():
        difference = contrast(network(x), target) - torch.stack(
            [contrast(network(baseline.expand_as(x)), target) for baseline in given.baselines]
        ).mean(dim=0)
    for method in {"integrated_gradients", "deeplift"} & set(methods_of(model_name(name))):
        total = attribute(method, unnormalized(network), x, target, given).sum(dim=(1, 2, 3))
        # Networks with many kinks need more points than this.
        torch.testing.assert_close(total, difference, atol=0.1 * float(difference.abs().max()), rtol=0.02, msg=method)


def test_occlusion_is_the_decrease_of_the_score_for_each_cell():
    network, x, target = make("vit"), random_input(2, 3, 12, 16), torch.tensor([1, 2])
    given = context()
    maps = attribute("occlusion", unnormalized(network), x, target, given, rows=[4, 7])
    for window, baseline in ((0, given.baselines[0]), (1, given.baselines[1])):
        for channel, band, interval in [(0, 0, 0), (2, 3, 3), (1, 2, 0)]:
            rows = CELLS.band[channel] == band
            frames = CELLS.interval[channel] == interval
            inside = np.zeros((3, 12, 16), dtype=bool)
            inside[channel] = rows[:, None] & frames
            occluded = torch.where(torch.from_numpy(inside), baseline, x[window])
            with torch.no_grad():
                score = contrast(network(torch.stack([x[window], occluded])), target[[window, window]])
            expected = (score[0] - score[1]) / inside.sum()
            found = maps[window][torch.from_numpy(inside)]
            torch.testing.assert_close(found, expected.expand_as(found), atol=1e-6, rtol=1e-4)


def test_energy_is_the_power_of_the_input():
    x, target = random_input(2, 3, 12, 16), torch.zeros(2, dtype=torch.long)
    assert torch.allclose(attribute("energy", unnormalized(Linear()), x, target, context()), 10 ** (x / 10))
    series = random_input(2, 3, 1, 16)
    assert torch.equal(attribute("energy", unnormalized(Linear()), series, target, context()), series**2)
    mixed = replace(context(), in_decibels=torch.tensor([True, False, True]))
    energy = attribute("energy", unnormalized(Linear()), x, target, mixed)
    assert torch.allclose(energy[:, ::2], 10 ** (x[:, ::2] / 10)) and torch.equal(energy[:, 1], x[:, 1].abs())


def test_random_maps_differ_between_windows_and_are_reproducible():
    x, target = random_input(2, 3, 12, 16), torch.zeros(2, dtype=torch.long)
    first, again = (attribute("random", unnormalized(Linear()), x, target, context(), [1, 2]) for _ in range(2))
    assert torch.equal(first, again) and not torch.equal(first[0], first[1])
    assert len(first[0].unique()) == CELLS.n_bins.size


@pytest.mark.parametrize("layout", ["stacked", "mosaic"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_gradients_of_patch_tokens_are_not_zero(depth, layout):
    network = make("vit", layout, depth=depth)
    activations = []
    network.gradcam_layer.register_forward_hook(lambda module, given, output: activations.append(output))
    score = contrast(network(random_input(4, 3, 12, 16)), torch.tensor([0, 1, 2, 1])).sum()
    gradient = torch.autograd.grad(score, activations[0])[0]
    assert (gradient.abs().sum(dim=1) > 0).all()


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return {place: write_planted(tmp_path_factory.mktemp(place), place) for place in PLANTED}


class Masked(nn.Module):
    """A network that reads one place of its input."""

    def __init__(self, network, place):
        super().__init__()
        self.network = network
        self.register_buffer("mask", torch.zeros(1, 3, 12, 16))
        self.mask[(0, *PLANTED[place])] = 1

    def forward(self, x):
        return self.network(x * self.mask)


@pytest.mark.parametrize("place", PLANTED)
@pytest.mark.parametrize("name", SMALL)
def test_what_a_network_does_not_read_has_no_relevance(name, place):
    network = Masked(make(name), place)
    inside = network.mask[0] > 0
    target = torch.tensor([0, 2])
    for method in {*FINE, "deeplift"} & set(methods_of(model_name(name))):
        maps = attribute(method, unnormalized(network), random_input(2, 3, 12, 16), target, context(n_samples=3))
        assert maps[:, ~inside].abs().max() <= 1e-4 * maps.abs().max(), method  # rounding
        assert (maps[:, inside] != 0).float().mean() > 0.5, method


def explained_by(method, classifier, dataset, window_set, cell_seconds=1.0):
    """Mean map of correctly answered seizure windows of the test fold, without negative values."""
    test = window_set.in_folds(1)
    seizure = test.select(test.label == 1).window
    answered = predict(classifier, dataset, seizure).argmax(dim=1) == 1
    assert answered.float().mean() > 0.7  # the model has found what was planted
    x = dataset.read(seizure)[answered]
    others = window_set.excluding_fold(1)
    baselines = dataset.read(others.select(others.label == 0).window[:4])
    given = Context(baselines, make_cells(dataset.described, cell_seconds), seed=1)
    maps = attribute(method, classifier, x, torch.ones(len(x), dtype=torch.long), given)
    return maps.mean(dim=0).clamp_min(0)


TRAINED = {
    "vit": {**SMALL["vit"], "layout": "mosaic"},
    "transformer": SMALL["transformer"],
    "lstm": SMALL["lstm"],
    "swin": SMALL["swin"],
    "bandpower": {},
}
# Gradients with respect to the input can be small where a trained network is saturated, and attention rollout does not
# distinguish what a token was used for: these are tested on networks for which the answer is known.
NOT_CERTAIN = ("saliency", "smoothgrad", "input_x_gradient", "attention_rollout")


@pytest.mark.parametrize("place", PLANTED)
@pytest.mark.parametrize("name", TRAINED)
def test_what_a_trained_model_reads_is_found(planted, name, place):
    classifier, dataset, window_set = trained_on(planted[place], name, TRAINED[name])
    axis = list(PLANTED).index(place)
    outside = torch.ones(PLANTED_SHAPE[axis], dtype=torch.bool)
    outside[PLANTED[place][axis]] = False
    found = {}
    for method in set(methods_of(model_name(name))) - set(NOT_CERTAIN):
        profile = explained_by(method, classifier, dataset, window_set).mean(dim=tuple({0, 1, 2} - {axis}))
        if profile.max() - profile.min() > 1e-4 * profile.max():
            found[method] = float(profile[~outside].mean() / profile[outside].mean().clamp_min(1e-12))
    assert min(found.values()) > 1, found
    assert {"integrated_gradients", "occlusion"} <= set(found)
    assert place == "band" or name not in ("lstm", "transformer") or place == "channel" or len(found) >= 4


@pytest.mark.parametrize("name", ["vit", "transformer"])
def test_attention_that_reads_one_second_is_found(name):
    network = make(name, depth=1, **({"patch_times": 4, "patch_freqs": 12} if name == "vit" else {}))
    block = (network.transformer if name == "vit" else network.encoder).blocks[0]
    with torch.no_grad():
        # The first feature of a token is the sum of its bins; all queries look for a large one.
        embed = network.transformer.patch_embed.proj.weight if name == "vit" else network.frames.projection.weight
        embed[0] = 0.1
        weight, bias = (
            (block.attn.qkv.weight, block.attn.qkv.bias)
            if name == "vit"
            else (block.self_attn.in_proj_weight, block.self_attn.in_proj_bias)
        )
        weight[:32] = 0
        bias[:16] = 0
        bias[[0, 8]] = 4.0
        weight[[16, 24], 0] = 4.0
    x = 0.1 * random_input(4, 3, 12, 16)
    x[..., 8:12] += 3.0
    for method in ("attention_rollout", "gradient_attention"):
        profile = attribute(method, unnormalized(network), x, torch.tensor([0, 1, 2, 0]), context()).mean(dim=(0, 1, 2))
        assert profile[8:12].min() > 2 * profile[[*range(8), *range(12, 16)]].max(), (method, profile)


@pytest.mark.parametrize("name", ["vit", "transformer"])
@pytest.mark.parametrize("pool", ["avg", "max"])
def test_recording_the_attention_does_not_change_the_output(name, pool):
    for layout in ("stacked", "mosaic"):
        network, x = make(name, layout, pool=pool), random_input(3, 3, 12, 16)
        expected = network(x)
        with recorded(network) as attention:
            torch.testing.assert_close(network(x), expected, atol=1e-5, rtol=1e-5)
        assert len(attention.weights) == 2
        for weights in attention.weights:
            torch.testing.assert_close(weights.sum(dim=-1), torch.ones(weights.shape[:-1]))
        torch.testing.assert_close(network(x), expected)


class Maximum(nn.Module):
    """A network whose first logit is the larger of two channels' sums, of which the first is a little larger."""

    def forward(self, x):
        sums = x.sum(dim=(2, 3))
        return torch.stack([torch.maximum(sums[:, 0], 0.99 * sums[:, 1]), torch.zeros(len(x))], dim=1)


def test_equal_signs_share_the_credit_in_shapley_gradients_and_not_in_integrated_gradients():
    x = torch.ones(2, 3, 12, 16)
    given = Context(torch.zeros(1, 3, 12, 16), make_cells(DESCRIBED, 100), seed=1, n_samples=200)
    target = torch.zeros(2, dtype=torch.long)
    network = unnormalized(Maximum())
    straight, mixed = (
        attribute(method, network, x, target, given).sum(dim=(2, 3)) / x[0, 0].numel()
        for method in ("integrated_gradients", "shapley_gradients")
    )
    torch.testing.assert_close(straight, torch.tensor([1.0, 0.0, 0.0]).expand(2, 3), atol=1e-3, rtol=0)
    # Of two players of whom either wins the game alone, each has a Shapley value of a half.
    assert ((mixed[:, :2] > 0.3) & (mixed[:, :2] < 0.7)).all() and (mixed[:, 2] == 0).all()


def test_integrated_gradients_pass_no_more_windows_at_a_time_than_given():
    classifier, sizes = unnormalized(Linear()), []
    classifier.network.register_forward_pre_hook(lambda module, args: sizes.append(len(args[0])))
    context = Context(random_input(2, 3, 12, 16, seed=5), CELLS, seed=0, n_steps=50)
    attribute("integrated_gradients", classifier, random_input(3, 3, 12, 16), torch.tensor([0, 1, 2]), context)
    assert max(sizes) == 3


@pytest.mark.parametrize("method", ["attention_rollout", "gradient_attention"])
@pytest.mark.parametrize("name", ["vit", "transformer"])
def test_attention_is_computed_in_parts_of_limited_memory(name, method, monkeypatch):
    classifier, context = unnormalized(make(name, "mosaic")), Context(torch.zeros(1, 3, 12, 16), CELLS, seed=0)
    given = (classifier, random_input(3, 3, 12, 16), torch.tensor([0, 1, 2]), context)
    expected, sizes = attribute(method, *given), []
    classifier.network.register_forward_pre_hook(lambda module, args: sizes.append(len(args[0])))
    monkeypatch.setattr(attention, "ATTENTION_BYTES", 1)
    torch.testing.assert_close(attribute(method, *given), expected, rtol=1e-4, atol=1e-6)
    assert sizes == [1, 1, 1]


def test_energy_of_an_imported_array_in_another_unit_is_finite():
    x = torch.tensor([100.0, 500.0]).reshape(1, 1, 2, 1).expand(1, 3, 2, 4)
    maps = attribute("energy", None, x, torch.tensor([0]), Context(torch.zeros(1, 3, 2, 4), CELLS, seed=0))
    assert maps.isfinite().all() and (maps[:, :, 1] > maps[:, :, 0]).all()


@pytest.mark.parametrize("place", ["channel", "band"])
def test_occlusion_of_whole_bands_finds_what_trees_read(planted, place):
    """A shorter cell changes the mean power of a band little, so that no feature crosses a threshold."""
    classifier, dataset, window_set = trained_on(planted[place], "boosting", {"min_leaf": 5})
    maps = explained_by("occlusion", classifier, dataset, window_set, cell_seconds=4.0)
    inside = maps[PLANTED[place]].sum()
    assert inside > 0 and inside > 0.9 * maps.sum()
