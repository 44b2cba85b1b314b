"""What every deep model promises: any size, no leak between windows, logits, gradients, maps, weights on disk."""

import math

import pytest
import torch

from eegwf.config.training import Training
from eegwf.explanation.maps import gradcam_maps
from eegwf.models.registry import build, entry_of
from eegwf.training.classifier import Classifier, load_classifier, save_classifier
from eegwf.training.schedule import make_optimizer

BLOCK = {"width": 16, "heads": 2}
TOKENS = {**BLOCK, "feedforward": 32}
SMALL = {
    "lstm": {"width": 16, "hidden": 8},
    "transformer": TOKENS,
    "vit": {"patch_freqs": 4, "patch_times": 5, **BLOCK},
    "swin": {"patch": 4, "window": 2, **BLOCK},
    "transcnn": {"filters": 8, "stages": 2, **TOKENS},
    "inception": {"cut": "Conv2d_4a_3x3", **TOKENS},
    "eegnet": {},
    "convnext": {"timm": "convnext_atto"},
}
AXES = {"sfreq": 8.0, "freqs": None}
# With 20 channels below each other the smallest strides give thousands of tokens.
COARSE = {"transcnn": {"stages": 3}, "inception": {"cut": "Mixed_5d"}}
SIZES = [(19, 64, 96), (20, 64, 96), (22, 64, 96), (3, 50, 37), (3, 5, 3)]
PICTURES = ("vit", "swin", "transcnn", "inception", "convnext")


def settings_of(name, **own):
    """Small hyperparameters of a model, with those of `own` that it knows."""
    known = entry_of(name, SMALL[name]).parameters
    return SMALL[name] | {key: value for key, value in own.items() if key in known}


def layouts_of(name):
    return ("stacked", "mosaic") if "layout" in entry_of(name, SMALL[name]).parameters else ("",)


CASES = [(name, layout) for name in SMALL for layout in layouts_of(name)]
every_model = pytest.mark.parametrize(("name", "layout"), CASES, ids=["-".join(filter(None, case)) for case in CASES])
both_layouts = pytest.mark.parametrize("layout", ["stacked", "mosaic"])


def make(name, layout="stacked", shape=(3, 12, 16), n_outputs=3, **own):
    torch.manual_seed(0)
    sizes = dict(zip(("n_chans", "n_freqs", "n_times"), shape, strict=True))
    parameters = settings_of(name, layout=layout, drop_path=0.0) | own
    return build(name, {**sizes, "n_outputs": n_outputs}, parameters, AXES).eval()


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def output_of(module, model, x):
    """What a module of a model gives while the model looks at `x`."""
    seen = []
    hook = module.register_forward_hook(lambda module, given, out: seen.append(out))
    model(x)
    hook.remove()
    return seen[0]


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@every_model
@torch.no_grad()
def test_a_window_does_not_depend_on_its_batch_mates(name, layout):
    model, x, order = make(name, layout), random(5, 3, 12, 16), torch.tensor([3, 0, 4, 2, 1])
    together = model(x)
    assert torch.allclose(together, torch.cat([model(one[None]) for one in x]), atol=1e-5)
    assert torch.allclose(together[order], model(x[order]), atol=1e-5)
    assert (together[0] - together[1:]).abs().amax(dim=1).min() > 1e-6  # or all would be alike
    if name not in ("inception", "eegnet"):  # no batch norm: nor does it in training
        model = make(name, layout, dropout=0.0).train()
        assert torch.allclose(model(x), torch.cat([model(one[None]) for one in x]), atol=1e-5)


@every_model
@torch.no_grad()
def test_time_order_matters(name, layout):
    model, x = make(name, layout), random(2, 3, 12, 16)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    assert (model(x) - model(x[..., order])).abs().amax(dim=1).min() > 1e-5
    assert (model(x) - model(x.flip(3))).abs().amax(dim=1).min() > 1e-5


@pytest.mark.parametrize("name", ["lstm", "transformer"])
@both_layouts
def test_a_frame_is_one_column_of_the_input(name, layout):
    model, x = make(name, layout), random(1, 3, 12, 16).requires_grad_()
    frames = model.frames(x)
    assert frames.shape == ((1, 16, 16) if layout == "stacked" else (3, 16, 16))
    for t in (0, 7, 15):
        gradient = torch.autograd.grad(frames[-1, t].abs().sum(), x, retain_graph=True)[0][0]
        inside = torch.zeros(3, 12, 16, dtype=torch.bool)
        inside[2 if layout == "mosaic" else slice(None), :, t] = True
        assert torch.equal(gradient != 0, inside)


@both_layouts
def test_the_lstm_makes_a_step_for_each_time(layout):
    model, x = make("lstm", layout, bidirectional=False), random(2, 3, 12, 20)
    assert output_of(model.lstm, model, x)[0].shape == (2 if layout == "stacked" else 6, 20, 8)
    # A step knows the past and not the future: the state at time 5 depends on columns 0 to 5.
    x.requires_grad_()
    states, _ = model.lstm(model.frames(x))
    reached = torch.autograd.grad(states[:, 5].abs().sum(), x)[0].abs().sum(dim=(0, 1, 2)) > 0
    assert reached.tolist() == [t <= 5 for t in range(20)]


@both_layouts
@pytest.mark.parametrize(("attention", "heads"), [("additive", 1), ("multihead", 4)])
@torch.no_grad()
def test_the_attention_of_the_lstm_sums_to_one_over_time(layout, attention, heads):
    model, x = make("lstm", layout, attention=attention), random(5, 3, 12, 20)
    logits, weights = model.attend(x)
    assert weights.shape == (5, 3 if layout == "mosaic" else 1, heads, 20)
    assert torch.allclose(weights.sum(dim=3), torch.ones(()), atol=1e-6)
    assert weights.min() >= 0 and weights.std(dim=3).min() > 1e-4
    assert torch.equal(logits, model(x))


@both_layouts
@torch.no_grad()
def test_the_transformer_has_a_token_for_each_time(layout):
    model, x = make("transformer", layout, (3, 12, 20)), random(2, 3, 12, 20)
    for block in model.encoder.blocks:
        assert output_of(block, model, x).shape == (2 if layout == "stacked" else 6, 20, 16)
    assert output_of(model.features, model, x).shape == (2, 16, 1 if layout == "stacked" else 3, 20)


@both_layouts
@pytest.mark.parametrize("name", ["transcnn", "inception"])
def test_the_grid_of_tokens_is_that_of_the_features(name, layout):
    model = make(name, layout, (3, 50, 37))
    x = random(2, 3, 50, 37)
    height, width = output_of(model.features, model, x).shape[2:]
    assert model.encoder.grid == (height, width)
    assert output_of(model.encoder.blocks[0], model, x).shape == (2, height * width, 16)
    if name == "transcnn":  # halved twice, rounded up
        assert (height, width) == (13 if layout == "stacked" else 39, 10)


@pytest.mark.parametrize(("depths", "grid"), [("2", (25, 25)), ("2-2", (13, 13)), ("2-2-2", (7, 7))])
def test_each_stage_of_swin_halves_the_picture(depths, grid):
    model = make("swin", shape=(3, 100, 100), depths=depths)
    assert output_of(model.features, model, random(1, 3, 100, 100)).shape[2:] == grid


@every_model
@pytest.mark.parametrize("shape", SIZES, ids=str)
@torch.no_grad()
def test_any_size_works_and_its_edges_count(name, layout, shape):
    model, x = make(name, layout, shape, **(COARSE.get(name, {}) if shape[0] > 3 else {})), random(1, *shape)
    row, column = x.clone(), x.clone()
    row[:, :, -1] += 1
    column[:, :, :, -1] += 1
    out = model(torch.cat([x, row, column]))
    assert out.shape == (3, 3) and out.isfinite().all()
    assert (out[0] - out[1]).abs().max() > 1e-6 and (out[0] - out[2]).abs().max() > 1e-6


@every_model
@torch.no_grad()
def test_evaluation_is_deterministic_and_training_drops(name, layout):
    x = random(4, 3, 12, 16)
    model = make(name, layout, dropout=0.3)
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))
    without = make(name, layout, dropout=0.0).train()
    assert torch.equal(without(x), without(x))  # it is dropout that differs


@every_model
@torch.no_grad()
def test_the_output_is_logits_not_probabilities(name, layout):
    out = make(name, layout)(100 * random(16, 3, 12, 16))
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
]


@pytest.mark.parametrize(("name", "layout", "own"), VARIANTS, ids=str)
def test_every_trained_parameter_gets_a_gradient(name, layout, own):
    model = make(name, layout, dropout=0.0, **own).train()
    torch.nn.functional.cross_entropy(model(random(8, 3, 12, 16)), torch.arange(8) % 3).backward()
    trained = {key: value for key, value in model.named_parameters() if value.requires_grad}
    assert [key for key, value in trained.items() if value.grad is None or not value.grad.abs().any()] == []
    assert all(value.grad.isfinite().all() for value in trained.values())
    fixed = {key.split(".")[1] for key, value in model.named_parameters() if not value.requires_grad}
    assert fixed == ({"Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"} if "frozen" in own else set())


def test_what_inception_freezes_stays_as_it_is():
    model = make("inception", frozen=3, dropout=0.0)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = make_optimizer(model.train(), Training(lr=0.1, weight_decay=0.1))
    torch.nn.functional.cross_entropy(model(random(8, 3, 12, 16)), torch.arange(8) % 3).backward()
    optimizer.step()
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    frozen = {key for key in before if key.startswith(("stem.Conv2d_1a", "stem.Conv2d_2"))}
    assert {key.rsplit(".", 1)[1] for key in frozen} >= {"weight", "running_mean", "running_var"}
    assert changed == set(before) - frozen


# Steps of the default optimizer until 32 random windows are learnt by heart, half as many again.
STEPS = {
    "lstm": (80, 160),
    "transformer": (90, 150),
    "vit": (80, 230),
    "swin": (60, 160),
    "transcnn": (30, 40),
    "inception": (30, 50),
    "eegnet": (200,),
    "convnext": (15, 15),
}


@every_model
def test_it_overfits_32_windows(name, layout):
    model, x, y = make(name, layout, dropout=0.0).train(), random(32, 3, 12, 16), torch.arange(32) % 3
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
def test_saved_and_loaded_weights_give_the_same_logits(name, layout, tmp_path):
    shape = {"n_chans": 3, "n_freqs": 12, "n_times": 16, "n_outputs": 3}
    parameters = settings_of(name, layout=layout)
    axes = {key: AXES[key] for key in entry_of(name, parameters).axes}
    torch.manual_seed(0)
    classifier = Classifier(name, shape, parameters, "patients", axes)
    for value in classifier.state_dict().values():  # statistics of norms too, of which fresh ones have none
        if value.is_floating_point():
            value.add_(0.1 * torch.rand(value.shape))
    description = {"model": name, "shape": shape, "parameters": parameters, "axes": axes, "normalisation": "patients"}
    save_classifier(tmp_path, classifier, description)
    loaded, found = load_classifier(tmp_path)
    x = random(3, 3, 12, 16)
    assert torch.equal(loaded(x), classifier.eval()(x)) and found == description
    assert not torch.equal(loaded(x), Classifier(name, shape, parameters, "patients", axes).eval()(x))


@every_model
def test_maps_of_the_features_lie_over_the_input(name, layout):
    model = make(name, layout, (3, 24, 40))
    grid = output_of(model.features, model, random(1, 3, 24, 40)).shape[2:]
    ones = model.to_input(torch.ones(2, 1, *grid))
    assert ones.shape == (2, 24, 40) and torch.allclose(ones, torch.ones(()))
    late = model.to_input(torch.arange(grid[1]).float().expand(1, 1, *grid))[0]
    assert (late.diff(dim=1) >= -1e-5).all() and (late[:, -1] > late[:, 0]).all()
    if name in PICTURES and layout == "stacked":
        high = model.to_input(torch.arange(grid[0]).float()[:, None].expand(1, 1, *grid))[0]
        assert (high.diff(dim=0) >= -1e-5).all() and (high[-1] > high[0]).all()


@every_model
def test_gradcam_is_not_zero(name, layout):
    model, x = make(name, layout), random(4, 3, 12, 16)
    maps = torch.stack([gradcam_maps(model, x, number) for number in range(3)])
    assert maps.shape == (3, 4, 12, 16)
    assert maps.min() >= 0 and maps.isfinite().all()
    assert (maps.flatten(2).amax(dim=(0, 2)) > 0).all()  # of every window, for at least one of the classes


BAD = [
    *((name, {"heads": 3}, "16 is no multiple of heads 3") for name in SMALL if "heads" in SMALL[name]),
    ("lstm", {"attention": "multihead", "heads": 3}, "size 16 are no multiple of heads 3"),
    ("lstm", {"attention": "dot"}, "attention 'dot'; there are additive and multihead"),
    *(
        (name, {"layout": "tiled"}, "layout 'tiled'; there are stacked and mosaic")
        for name in SMALL
        if name != "eegnet"
    ),
    *((name, {"pool": "sum"}, "pool 'sum'") for name in ("transformer", "vit", "transcnn", "inception")),
    ("inception", {"cut": "Mixed_9z"}, "cut 'Mixed_9z'; there are Conv2d_4a_3x3, Mixed_5d, Mixed_6e"),
    ("inception", {"frozen": 7}, "frozen 7; up to Conv2d_4a_3x3 it has 6 layers"),
    ("inception", {"frozen": -1}, "frozen -1"),
    *(("swin", {"depths": depths}, f"depths '{depths}'") for depths in ("2,2", "", "2-0", "two", "2-")),
    ("vit", {"architecture": "resnet18"}, "architecture 'resnet18' is no ViT"),
    ("vit", {"architecture": "vit_huger"}, "architecture 'vit_huger' is no ViT"),
    ("swin", {"architecture": "vit_tiny_patch16_224"}, "is no Swin"),
    *((name, {"pretrained": True}, "pretrained needs an architecture") for name in ("vit", "swin")),
    ("convnext", {"timm": "convnext_at"}, "no network 'convnext_at'; near it are convnext_atto"),
    ("convnext", {"timm": "qqq"}, "no network 'qqq'$"),
]


@pytest.mark.parametrize(("name", "own", "message"), BAD, ids=str)
def test_bad_parameters_are_refused(name, own, message):
    with pytest.raises(ValueError, match=message):
        make(name, **own)


@both_layouts
@pytest.mark.parametrize("own", [{}, {"layers": 3, "bidirectional": False}, {"attention": "multihead"}], ids=str)
def test_the_parameters_of_the_lstm(layout, own):
    model, width, hidden = make("lstm", layout, (20, 64, 96), **own), 16, 8
    r = 1 if "bidirectional" in own else 2
    size, frame = r * hidden, 64 if layout == "mosaic" else 20 * 64
    recurrent = 4 * r * hidden * (width + hidden + 2) + (own.get("layers", 1) - 1) * 4 * r * hidden * (
        size + hidden + 2
    )
    pooling = 2 * size + size * size + (0 if "attention" in own else size) + size
    assert count(model.frames) == (frame + 1) * width and count(model.lstm) == recurrent
    assert count(model) == (frame + 1) * width + recurrent + pooling + (size + 1) * 3


@both_layouts
def test_the_parameters_of_the_transformers_are_about_what_they_say(layout):
    chans, shape, own = 20 if layout == "stacked" else 1, (20, 64, 96), {"width": 32, "feedforward": 128, "depth": 3}
    blocks = 3 * (4 * 32 + 2 * 128) * 32
    assert count(make("transformer", layout, shape, **own)) == pytest.approx(chans * 64 * 32 + blocks, rel=0.15)
    vit = make("vit", layout, shape, width=32, depth=3, mlp_ratio=4.0, patch_freqs=8, patch_times=6)
    tokens = 8 * 16 * (20 if layout == "mosaic" else 1)
    assert count(vit) == pytest.approx(chans * 48 * 32 + tokens * 32 + 3 * 12 * 32**2, rel=0.15)
    stages = make("swin", layout, shape, width=32, depths="2-1-3").transformer.layers
    for stage, (layer, depth) in enumerate(zip(stages, (2, 1, 3), strict=True)):
        assert count(layer.blocks) == pytest.approx(depth * 8 * (2**stage * 32) ** 2, rel=0.15)
        assert count(layer.downsample) == pytest.approx(8 * (2 ** (stage - 1) * 32) ** 2 if stage else 0, rel=0.15)


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_the_parameters_of_transcnn_are_about_what_it_says(stages):
    own = {"filters": 16, "stages": stages, "width": 32, "feedforward": 64, "depth": 2}
    model = make("transcnn", shape=(20, 16, 16), **own)
    stem = 9 * 20 * 16 + 16**2 * (4.5 * 4**stages - 9) + 2 ** (stages - 1) * 16 * 32
    stem += model.encoder.pos_embed.numel()
    assert count(model) == pytest.approx(stem + 2 * (4 * 32 + 2 * 64) * 32, rel=0.15)


@pytest.mark.parametrize(
    ("cut", "stem"),
    [
        ("Conv2d_4a_3x3", 0.2e6),
        ("Mixed_5d", 1.0e6),
        ("Mixed_6e", 9e6),
    ],
)
def test_the_parameters_of_inception_are_about_what_it_says(cut, stem):
    model = make("inception", cut=cut)
    assert count(model.stem) == pytest.approx(stem, rel=0.15)
    if cut == "Mixed_5d":
        rest = 288 * 64 + math.prod(model.encoder.grid) * 64 + 2 * (4 * 64 + 2 * 256) * 64
        model = make("inception", cut=cut, width=64, feedforward=256, depth=2)
        assert count(model) - count(model.stem) == pytest.approx(rest, rel=0.15)
