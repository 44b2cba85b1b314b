"""Networks of timm, and published weights: they come from a file that timm loads itself, without a network."""

import functools

import huggingface_hub.constants
import pytest
import timm
import torch
from safetensors.torch import save_file

from eegwf.attribution.maps import gradcam_maps
from eegwf.errors import InputError
from eegwf.models.registry import build
from eegwf.training.classifier import Classifier, load_classifier, save_classifier

SHAPE = {"n_chans": 20, "n_freqs": 32, "n_times": 32, "n_outputs": 3}
INNER = {"vit": "transformer", "swin": "transformer", "inception": "stem"}
VIT, SWIN = "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"
both_layouts = pytest.mark.parametrize("layout", ["stacked", "mosaic"])


def make(model, **own):
    torch.manual_seed(0)
    return build(model, SHAPE, own).eval()


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Weights of a network for three colours and 1000 classes, in a file as they are published."""
    folder = tmp_path_factory.mktemp("published")

    @functools.cache
    def of(network):
        # Those of InceptionV3 hold its auxiliary classifier.
        options = {"aux_logits": True} if network == "inception_v3" else {}
        weights = timm.create_model(network, **options).state_dict()
        generator = torch.Generator().manual_seed(7)
        for value in weights.values():  # none that a fresh network would have as well
            if value.is_floating_point():
                value += 0.1 * torch.rand(value.shape, generator=generator)
        save_file(weights, folder / f"{network}.safetensors")
        return folder / f"{network}.safetensors", weights

    return of


@pytest.fixture
def from_file(published, monkeypatch):
    """Let timm find the weights of a network in a file."""
    create = timm.create_model

    def of(network):
        path, weights = published(network)
        monkeypatch.setattr(timm, "create_model", functools.partial(create, pretrained_cfg_overlay={"file": str(path)}))
        return dict(weights)

    return of


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No network, and nothing in the cache."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "empty"))


def inner_of(model, network):
    return getattr(network, INNER.get(model, "network")).state_dict()


@both_layouts
@pytest.mark.parametrize(
    ("network", "stacked", "mosaic"), [("resnet10t", (2, 2), (20, 2)), (VIT, (2, 2), (40, 2))], ids=["resnet", "vit"]
)
def test_any_kind_of_network_is_a_model(network, stacked, mosaic, layout):
    model, x, seen = make("mine", timm=network, layout=layout), torch.randn(3, 20, 32, 32), []
    model.features.register_forward_hook(lambda module, given, out: seen.append(out.shape))
    with torch.no_grad():
        out = model(x)
    assert out.shape == (3, 3) and not torch.allclose(out.sum(dim=1), torch.ones(3), atol=1e-3)
    assert seen[0][2:] == (stacked if layout == "stacked" else mosaic)
    with torch.no_grad():
        assert torch.allclose(out, torch.cat([model(one[None]) for one in x]), atol=1e-5)
        assert not torch.allclose(out, model(x.flip(3)), atol=1e-5)
    assert model.to_input(torch.ones(3, 1, *seen[0][2:])).shape == (3, 32, 32)


@pytest.mark.parametrize(
    "network",
    [
        "resnet10t",
        SWIN,
        "beit_base_patch16_224",
        VIT,
    ],
)
def test_gradcam_of_any_kind_of_network_is_not_zero(network):
    model, x = make("mine", timm=network), torch.randn(2, 20, 32, 32)
    maps = torch.stack([gradcam_maps(model, x, number) for number in range(3)])
    assert maps.shape == (3, 2, 32, 32)
    assert (maps.flatten(2).amax(dim=(0, 2)) > 0).all()


@pytest.mark.parametrize("network", ["mixer_s32_224", "levit_128s", "inception_v3", "crossvit_tiny_240"])
def test_a_network_works_or_is_refused_when_it_is_made(network):
    try:
        model = make("mine", timm=network)
    except ValueError as error:
        assert network in str(error)
    else:
        assert model(torch.randn(1, 20, 32, 32)).shape == (1, 3)


def test_an_unknown_network_is_refused_with_names_near_it():
    with pytest.raises(ValueError, match="timm has no network 'resnet10x'; near it are ") as raised:
        make("mine", timm="resnet10x")
    near = str(raised.value).partition("near it are ")[2].split(", ")
    assert all(timm.is_model(name) and "resnet" in name for name in near)


IDS = ["vit", "swin", "inception", "convnext", "timm-vit"]
CASES = [
    ("vit", VIT, {"architecture": VIT, "patch_freqs": 16, "patch_times": 16}, "patch_embed.proj", ("pos_embed",)),
    ("swin", SWIN, {"architecture": SWIN}, "patch_embed.proj", ("relative_position_bias_table",)),
    ("inception", "inception_v3", {"cut": "Mixed_5d", "width": 16, "frozen": 3}, "Conv2d_1a_3x3.conv", ()),
    ("mine", "convnext_atto", {"timm": "convnext_atto"}, "stem.0", ()),
    ("mine", VIT, {"timm": VIT}, "patch_embed.proj", ("pos_embed",)),
]


@both_layouts
@pytest.mark.parametrize(
    ("model", "network", "own", "first", "resized"),
    CASES,
    ids=IDS,
)
def test_published_weights_are_the_networks(from_file, model, network, own, first, resized, layout):
    weights = from_file(network)
    made = make(model, **own, layout=layout, pretrained=True)
    found = inner_of(model, made)
    # The first layer's weights are repeated over the channels and scaled; one channel has their sum.
    colours = weights.pop(f"{first}.weight")
    channels = torch.arange(20) % 3
    expected = colours[:, channels] * (3 / 20) if layout == "stacked" else colours.sum(dim=1, keepdim=True)
    assert torch.allclose(found.pop(f"{first}.weight"), expected, atol=1e-6)
    # Pooled tokens are normalised after the pooling; the norm is that of the file.
    found = {name.replace("fc_norm.", "norm.") if model == "vit" else name: value for name, value in found.items()}
    others = {name for name in found if not name.startswith(("head.fc.", "head.")) or "norm" in name}
    others -= {name for name in found if name.endswith(resized or ("none",))}
    assert len(others) > 30 and others <= set(weights)
    assert [name for name in sorted(others) if not torch.equal(found[name], weights[name])] == []
    fresh = inner_of(model, make(model, **own, layout=layout))
    for name in found:
        if name.endswith(resized or ("none",)):  # fitted to another size, no fresh ones
            assert found[name].shape == fresh[name].shape
            assert (found[name].mean() - weights[name].mean()).abs() < 0.02 < weights[name].mean()
    x = torch.randn(2, 20, 32, 32)
    with torch.no_grad():
        assert made(x).shape == (2, 3) and made(x).isfinite().all()


@pytest.mark.parametrize(("model", "network", "own"), [case[:3] for case in CASES], ids=IDS)
def test_without_a_network_it_says_what_to_do(offline, model, network, own):
    with pytest.raises(InputError, match=f"weights of timm's {network}.*HF_HOME.* or set pretrained to false"):
        make(model, **own, pretrained=True)


@pytest.mark.parametrize(
    ("model", "network", "own"),
    [
        ("mine", "convnext_atto", {"timm": "convnext_atto"}),
        ("inception", "inception_v3", {"cut": "Conv2d_4a_3x3", "width": 16}),
    ],
    ids=["convnext", "inception"],
)
@torch.no_grad()
def test_a_saved_model_fetches_nothing(from_file, offline, tmp_path, monkeypatch, model, network, own):
    parameters = {**own, "pretrained": True}
    with monkeypatch.context():
        from_file(network)
        classifier = Classifier(model, SHAPE, parameters, "patients").eval()
    description = {"model": model, "shape": SHAPE, "parameters": parameters, "normalisation": "patients"}
    save_classifier(tmp_path, classifier, description)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timm, "create_model", timm.create_model.func)  # timm's own, which has no file
        with pytest.raises(InputError):
            Classifier(model, SHAPE, parameters, "patients")
        loaded, found = load_classifier(tmp_path)
    x = torch.randn(2, 20, 32, 32)
    assert torch.equal(loaded(x), classifier(x)) and found["parameters"]["pretrained"] is True


@pytest.mark.parametrize(
    "architecture", ["vit_relpos_small_patch16_224", "vit_little_patch16_reg4_gap_256", "vit_small_patch16_dinov3"]
)
def test_what_is_no_plain_vit_is_refused(architecture):
    with pytest.raises(ValueError, match="no plain ViT"):
        make("vit", architecture=architecture)


def test_a_network_that_reads_class_tokens_alone_is_refused():
    with pytest.raises(ValueError, match="deit_tiny_distilled_patch16_224 reads class tokens alone"):
        make("mine", timm="deit_tiny_distilled_patch16_224")


@pytest.mark.parametrize(
    ("model", "own"), [("lstm", {"layers": 1.5}), ("transformer", {"width": 32.5}), ("vit", {"heads": 0})]
)
def test_parameters_that_make_no_model_are_a_value_error(model, own):
    """So that a trial that draws them is a failed trial, with its reason."""
    with pytest.raises(ValueError, match=f"{model} can't be made of"):
        make(model, **own)


@pytest.mark.parametrize("model", ["transformer", "vit"])
def test_a_transformer_without_blocks_is_refused(model):
    with pytest.raises(ValueError, match="depth 0; there must be a block"):
        make(model, depth=0)
