"""Properties of all models trained by gradient descent: input sizes, independent windows, logits, gradients, files."""

import pytest
import torch

from eegwf.attribution.attribute import attribute
from eegwf.config.training import Training
from eegwf.models.registry import axes_arguments, entry_of
from eegwf.training.classifier import Classifier, load_classifier, save_classifier
from eegwf.training.schedule import make_optimizer
from tests.helpers.small_models import (
    AXES,
    CASES,
    IMAGE_MODELS,
    LARGER_STRIDES,
    SIZES,
    SMALL,
    both_layouts,
    every_model,
    layouts_of,
    make,
    output_of,
    random_input,
    small_parameters,
    unnormalized,
)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@every_model
@torch.no_grad()
def test_windows_of_a_batch_are_independent(name, layout):
    model, x, order = make(name, layout), random_input(5, 3, 12, 16), torch.tensor([3, 0, 4, 2, 1])
    together = model(x)
    assert torch.allclose(together, torch.cat([model(window[None]) for window in x]), atol=1e-5)
    assert torch.allclose(together[order], model(x[order]), atol=1e-5)
    assert (together[0] - together[1:]).abs().amax(dim=1).min() > 1e-6  # the outputs of different windows differ
    if name not in ("inception", "eegnet", "sharedcnn"):  # without batch norm, windows are independent in training too
        model = make(name, layout, dropout=0.0).train()
        assert torch.allclose(model(x), torch.cat([model(window[None]) for window in x]), atol=1e-5)


@every_model
@torch.no_grad()
def test_output_depends_on_the_order_of_frames(name, layout):
    model, x = make(name, layout), random_input(2, 3, 12, 16)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    assert (model(x) - model(x[..., order])).abs().amax(dim=1).min() > 1e-5
    assert (model(x) - model(x.flip(3))).abs().amax(dim=1).min() > 1e-5


@pytest.mark.parametrize("name", ["lstm", "transformer"])
@both_layouts
def test_a_frame_depends_only_on_its_column_of_the_input(name, layout):
    model, x = make(name, layout), random_input(1, 3, 12, 16).requires_grad_()
    frames = model.frames(x)
    assert frames.shape == ((1, 16, 16) if layout == "stacked" else (3, 16, 16))
    for t in (0, 7, 15):
        gradient = torch.autograd.grad(frames[-1, t].abs().sum(), x, retain_graph=True)[0][0]
        inside = torch.zeros(3, 12, 16, dtype=torch.bool)
        inside[2 if layout == "mosaic" else slice(None), :, t] = True
        assert torch.equal(gradient != 0, inside)


@both_layouts
def test_lstm_has_one_step_per_frame(layout):
    model, x = make("lstm", layout, bidirectional=False), random_input(2, 3, 12, 20)
    assert output_of(model.lstm, model, x)[0].shape == (2 if layout == "stacked" else 6, 20, 8)
    # The state at frame 5 depends on frames 0 to 5 and not on later ones.
    x.requires_grad_()
    states, _ = model.lstm(model.frames(x))
    depends = torch.autograd.grad(states[:, 5].abs().sum(), x)[0].abs().sum(dim=(0, 1, 2)) > 0
    assert depends.tolist() == [t <= 5 for t in range(20)]


@both_layouts
@pytest.mark.parametrize(("attention", "heads"), [("additive", 1), ("multihead", 4)])
@torch.no_grad()
def test_lstm_attention_weights_sum_to_one_over_frames(layout, attention, heads):
    model, x = make("lstm", layout, attention=attention), random_input(5, 3, 12, 20)
    logits, weights = model.attend(x)
    assert weights.shape == (5, 3 if layout == "mosaic" else 1, heads, 20)
    assert torch.allclose(weights.sum(dim=3), torch.ones(()), atol=1e-6)
    assert weights.min() >= 0 and weights.std(dim=3).min() > 1e-4
    assert torch.equal(logits, model(x))


@both_layouts
@torch.no_grad()
def test_transformer_has_one_token_per_frame(layout):
    model, x = make("transformer", layout, (3, 12, 20)), random_input(2, 3, 12, 20)
    for block in model.encoder.blocks:
        assert output_of(block, model, x).shape == (2 if layout == "stacked" else 6, 20, 16)
    assert output_of(model.gradcam_layer, model, x).shape == (2, 16, 1 if layout == "stacked" else 3, 20)


@both_layouts
@pytest.mark.parametrize("name", ["transcnn", "inception"])
def test_token_grid_matches_the_feature_maps(name, layout):
    model = make(name, layout, (3, 50, 37))
    x = random_input(2, 3, 50, 37)
    height, width = output_of(model.gradcam_layer, model, x).shape[2:]
    assert model.encoder.grid == (height, width)
    assert output_of(model.encoder.blocks[0], model, x).shape == (2, height * width, 16)
    if name == "transcnn":  # halved twice, rounded up
        assert (height, width) == (13 if layout == "stacked" else 39, 10)


@pytest.mark.parametrize(("depths", "grid"), [("2", (25, 25)), ("2-2", (13, 13)), ("2-2-2", (7, 7))])
def test_each_stage_of_swin_halves_the_grid(depths, grid):
    model = make("swin", shape=(3, 100, 100), depths=depths)
    assert output_of(model.gradcam_layer, model, random_input(1, 3, 100, 100)).shape[2:] == grid


@every_model
@pytest.mark.parametrize("shape", SIZES, ids=str)
@torch.no_grad()
def test_any_input_size_is_accepted_and_its_edges_are_used(name, layout, shape):
    parameters = LARGER_STRIDES.get(name, {}) if shape[0] > 3 else {}
    model, x = make(name, layout, shape, **parameters), random_input(1, *shape)
    row, column = x.clone(), x.clone()
    row[:, :, -1] += 1
    column[:, :, :, -1] += 1
    out = model(torch.cat([x, row, column]))
    assert out.shape == (3, 3) and out.isfinite().all()
    assert (out[0] - out[1]).abs().max() > 1e-6 and (out[0] - out[2]).abs().max() > 1e-6


@every_model
@torch.no_grad()
def test_dropout_applies_in_training_only(name, layout):
    x = random_input(4, 3, 12, 16)
    model = make(name, layout, dropout=0.3)
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))
    no_dropout = make(name, layout, dropout=0.0).train()
    assert torch.equal(no_dropout(x), no_dropout(x))  # the difference above is due to dropout


@every_model
@torch.no_grad()
def test_output_is_logits_not_probabilities(name, layout):
    out = make(name, layout)(100 * random_input(16, 3, 12, 16))
    assert out.min() < 0
    assert (out.sum(dim=1) - 1).abs().min() > 1e-4 and (out.exp().sum(dim=1) - 1).abs().min() > 1e-4


VARIANTS = [
    *((name, layout, {}) for name, layout in CASES),
    ("lstm", "mosaic", {"attention": "multihead", "layers": 2, "bidirectional": False}),
    *((name, "mosaic", {"pool": "max", "depth": 3}) for name in ("transformer", "vit", "transcnn", "inception")),
    ("swin", "stacked", {"depths": "3-1"}),
    ("inception", "stacked", {"frozen": 3}),
    ("inception", "stacked", {"cut": "Mixed_6e"}),
    ("eegnet", "", {"spatial_filters": 3, "pointwise_filters": 5}),
    *(("sharedcnn", "", {"pool": pool, "stages": 1}) for pool in ("mean", "max")),
]


@pytest.mark.parametrize(("name", "layout", "parameters"), VARIANTS, ids=str)
def test_every_trained_parameter_has_a_gradient(name, layout, parameters):
    model = make(name, layout, dropout=0.0, **parameters).train()
    torch.nn.functional.cross_entropy(model(random_input(8, 3, 12, 16)), torch.arange(8) % 3).backward()
    trained = {key: value for key, value in model.named_parameters() if value.requires_grad}
    assert [key for key, value in trained.items() if value.grad is None or not value.grad.abs().any()] == []
    assert all(value.grad.isfinite().all() for value in trained.values())
    fixed = {key.split(".")[1] for key, value in model.named_parameters() if not value.requires_grad}
    assert fixed == ({"Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"} if "frozen" in parameters else set())


def test_frozen_layers_of_inception_do_not_change():
    model = make("inception", frozen=3, dropout=0.0)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = make_optimizer(model.train(), Training(lr=0.1, weight_decay=0.1))
    torch.nn.functional.cross_entropy(model(random_input(8, 3, 12, 16)), torch.arange(8) % 3).backward()
    optimizer.step()
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    frozen = {key for key in before if key.startswith(("stem.Conv2d_1a", "stem.Conv2d_2"))}
    assert {key.rsplit(".", 1)[1] for key in frozen} >= {"weight", "running_mean", "running_var"}
    assert changed == set(before) - frozen


# 1.5 times the number of steps after which the default optimizer fits 32 random windows, for each layout.
STEPS = {
    "lstm": (80, 160),
    "transformer": (90, 150),
    "vit": (80, 230),
    "swin": (60, 160),
    "transcnn": (30, 40),
    "inception": (30, 50),
    "sharedcnn": (100,),
    "eegnet": (200,),
    "convnext": (15, 15),
}


@pytest.mark.slow
@every_model
def test_every_model_overfits_32_windows(name, layout):
    model, x, y = make(name, layout, dropout=0.0).train(), random_input(32, 3, 12, 16), torch.arange(32) % 3
    optimizer = make_optimizer(model, Training(weight_decay=0.0))
    for _ in range(STEPS[name][layouts_of(name).index(layout)]):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        getattr(model, "constrain", lambda: None)()
    with torch.no_grad():
        assert (model.eval()(x).argmax(1) == y).all()


@every_model
@torch.no_grad()
def test_saved_and_loaded_weights_have_the_same_logits(name, layout, tmp_path):
    shape = {"n_chans": 3, "n_freqs": 12, "n_frames": 16, "n_outputs": 3}
    parameters = small_parameters(name, layout=layout)
    axes = {key: AXES[key] for key in axes_arguments(entry_of(name, parameters))}
    torch.manual_seed(0)
    classifier = Classifier(name, shape, parameters, "patients", axes)
    for value in classifier.state_dict().values():  # so that running statistics differ from their initial values
        if value.is_floating_point():
            value.add_(0.1 * torch.rand(value.shape))
    description = {"model": name, "shape": shape, "parameters": parameters, "axes": axes, "normalization": "patients"}
    save_classifier(tmp_path, classifier, description)
    loaded, loaded_description = load_classifier(tmp_path)
    x = random_input(3, 3, 12, 16)
    assert torch.equal(loaded(x), classifier.eval()(x)) and loaded_description == description
    assert not torch.equal(loaded(x), Classifier(name, shape, parameters, "patients", axes).eval()(x))


@every_model
def test_maps_are_aligned_with_the_input(name, layout):
    model = make(name, layout, (3, 24, 40))
    grid = output_of(model.gradcam_layer, model, random_input(1, 3, 24, 40)).shape[2:]
    ones = model.upsample_to_input(torch.ones(2, 1, *grid))
    assert ones.shape == (2, 3, 24, 40) and torch.equal(ones, torch.ones(2, 3, 24, 40))
    late = model.upsample_to_input(torch.arange(grid[1]).float().expand(1, 1, *grid))[0]
    assert (late.diff(dim=2) >= 0).all() and (late[..., -1] > late[..., 0]).all()
    if name in IMAGE_MODELS and layout == "stacked":
        high = model.upsample_to_input(torch.arange(grid[0]).float()[:, None].expand(1, 1, *grid))[0]
        assert (high.diff(dim=1) >= 0).all() and (high[:, -1] > high[:, 0]).all()


@every_model
def test_gradcam_is_not_zero(name, layout):
    classifier, x = unnormalized(make(name, layout)), random_input(4, 3, 12, 16)
    maps = torch.stack([attribute("gradcam", classifier, x, torch.full((4,), number), None) for number in range(3)])
    assert maps.shape == (3, 4, 3, 12, 16)
    assert maps.min() >= 0 and maps.isfinite().all()
    assert (maps.flatten(2).amax(dim=(0, 2)) > 0).all()  # for every window, the map of at least one class


INVALID = [
    *((name, {"heads": 3}, "16 is not a multiple of heads 3") for name in SMALL if "heads" in SMALL[name]),
    ("lstm", {"attention": "multihead", "heads": 3}, "size of a state, 16, is not a multiple of heads 3"),
    ("lstm", {"attention": "dot"}, "unknown attention 'dot'; expected additive or multihead"),
    *(
        (name, {"layout": "tiled"}, "unknown layout 'tiled'; expected stacked or mosaic")
        for name in SMALL
        if layouts_of(name) != ("",)
    ),
    *(
        (name, {"pool": "sum"}, "unknown pool 'sum'; expected avg or max")
        for name in ("transformer", "vit", "transcnn", "inception")
    ),
    ("inception", {"cut": "Mixed_9z"}, "unknown cut 'Mixed_9z'; expected Conv2d_4a_3x3, Mixed_5d or Mixed_6e"),
    ("inception", {"frozen": 7}, "frozen is 7; expected 0 to 6, the number of layers up to Conv2d_4a_3x3"),
    ("inception", {"frozen": -1}, "frozen is -1; expected 0 to 6"),
    *(
        ("swin", {"depths": depths}, f"depths is '{depths}'; expected the number of blocks of each stage")
        for depths in ("2,2", "", "2-0", "two", "2-")
    ),
    ("sharedcnn", {"pool": "avg"}, "unknown pool 'avg'; expected statistics, mean or max"),
    ("sharedcnn", {"stages": 0}, "stages is 0; expected 1 or more"),
    ("vit", {"architecture": "resnet18"}, "architecture 'resnet18' is not a ViT"),
    ("vit", {"architecture": "vit_huger"}, "architecture 'vit_huger' is not a ViT"),
    ("swin", {"architecture": "vit_tiny_patch16_224"}, "is not a Swin"),
    *((name, {"pretrained": True}, "pretrained requires architecture") for name in ("vit", "swin")),
    ("convnext", {"timm": "convnext_at"}, "no network 'convnext_at'; similar names: convnext_atto"),
    ("convnext", {"timm": "qqq"}, "no network 'qqq'; timm.list_models"),
]


@pytest.mark.parametrize(("name", "parameters", "message"), INVALID, ids=str)
def test_invalid_parameters_are_rejected(name, parameters, message):
    with pytest.raises(ValueError, match=message):
        make(name, **parameters)
