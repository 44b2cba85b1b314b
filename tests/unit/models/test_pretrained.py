"""Networks of timm and published weights; the weights are read from a local file, without network access."""

import functools

import huggingface_hub.constants
import pytest
import timm
import torch
from safetensors.torch import save_file

from eegwf.attribution.attribute import attribute
from eegwf.errors import InputError
from eegwf.models.registry import build
from eegwf.training.classifier import Classifier, load_classifier, save_classifier
from tests.helpers.small_models import unnormalized

SHAPE = {"n_chans": 20, "n_freqs": 32, "n_frames": 32, "n_outputs": 3}
ATTRIBUTES = {"vit": "transformer", "swin": "transformer", "inception": "stem"}
VIT, SWIN = "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"
both_layouts = pytest.mark.parametrize("layout", ["stacked", "mosaic"])


def make(model, **parameters):
    torch.manual_seed(0)
    return build(model, SHAPE, parameters).eval()


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Write weights of a network for three input channels and 1000 classes to a file, as they are published."""
    folder = tmp_path_factory.mktemp("published")

    @functools.cache
    def write_weights(network):
        # The published weights of InceptionV3 include its auxiliary classifier.
        options = {"aux_logits": True} if network == "inception_v3" else {}
        weights = timm.create_model(network, **options).state_dict()
        generator = torch.Generator().manual_seed(7)
        for value in weights.values():  # so that no weight equals its initial value
            if value.is_floating_point():
                value += 0.1 * torch.rand(value.shape, generator=generator)
        save_file(weights, folder / f"{network}.safetensors")
        return folder / f"{network}.safetensors", weights

    return write_weights


@pytest.fixture
def from_file(published, monkeypatch):
    """Make timm load the weights of a network from a file."""
    create = timm.create_model

    def use_file(network):
        path, weights = published(network)
        monkeypatch.setattr(timm, "create_model", functools.partial(create, pretrained_cfg_overlay={"file": str(path)}))
        return dict(weights)

    return use_file


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """Disable network access and use an empty cache."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "empty"))


def state_of(model, network):
    """Return the state dict of the network of timm within a model."""
    return getattr(network, ATTRIBUTES.get(model, "network")).state_dict()


@both_layouts
@pytest.mark.parametrize(
    ("network", "stacked", "mosaic"), [("resnet10t", (2, 2), (20, 2)), (VIT, (2, 2), (40, 2))], ids=["resnet", "vit"]
)
def test_different_kinds_of_networks_are_supported(network, stacked, mosaic, layout):
    model, x, shapes = make("mine", timm=network, layout=layout), torch.randn(3, 20, 32, 32), []
    model.gradcam_layer.register_forward_hook(lambda module, inputs, output: shapes.append(output.shape))
    with torch.no_grad():
        out = model(x)
    assert out.shape == (3, 3) and not torch.allclose(out.sum(dim=1), torch.ones(3), atol=1e-3)
    assert shapes[0][2:] == (stacked if layout == "stacked" else mosaic)
    with torch.no_grad():
        assert torch.allclose(out, torch.cat([model(window[None]) for window in x]), atol=1e-5)
        assert not torch.allclose(out, model(x.flip(3)), atol=1e-5)
    assert model.upsample_to_input(torch.ones(3, 1, *shapes[0][2:])).shape == (3, 20, 32, 32)


@pytest.mark.parametrize(
    "network",
    [
        "resnet10t",
        SWIN,
        "beit_base_patch16_224",
        VIT,
    ],
)
def test_gradcam_of_different_kinds_of_networks_is_not_zero(network):
    classifier, x = unnormalized(make("mine", timm=network)), torch.randn(2, 20, 32, 32)
    maps = torch.stack([attribute("gradcam", classifier, x, torch.full((2,), number), None) for number in range(3)])
    assert maps.shape == (3, 2, 20, 32, 32)
    assert (maps.flatten(2).amax(dim=(0, 2)) > 0).all()


@pytest.mark.parametrize("network", ["mixer_s32_224", "levit_128s", "inception_v3", "crossvit_tiny_240"])
def test_a_network_is_usable_or_is_rejected_on_creation(network):
    try:
        model = make("mine", timm=network)
    except ValueError as error:
        assert network in str(error)
    else:
        assert model(torch.randn(1, 20, 32, 32)).shape == (1, 3)


def test_an_unknown_network_is_rejected_with_similar_names():
    with pytest.raises(ValueError, match="timm has no network 'resnet10x'; similar names: ") as raised:
        make("mine", timm="resnet10x")
    similar = str(raised.value).partition("similar names: ")[2].split(", ")
    assert all(timm.is_model(name) and "resnet" in name for name in similar)


IDS = ["vit", "swin", "inception", "convnext", "timm-vit"]
CASES = [
    ("vit", VIT, {"architecture": VIT, "patch_freqs": 16, "patch_times": 16}, "patch_embed.proj", ("pos_embed",)),
    ("swin", SWIN, {"architecture": SWIN}, "patch_embed.proj", ("relative_position_bias_table",)),
    ("inception", "inception_v3", {"cut": "Mixed_5d", "width": 16, "frozen": 3}, "Conv2d_1a_3x3.conv", ()),
    ("mine", "convnext_atto", {"timm": "convnext_atto"}, "stem.0", ()),
    ("mine", VIT, {"timm": VIT}, "patch_embed.proj", ("pos_embed",)),
]


@pytest.mark.slow
@both_layouts
@pytest.mark.parametrize(
    ("model", "network", "parameters", "first", "resized"),
    CASES,
    ids=IDS,
)
def test_published_weights_are_loaded(from_file, model, network, parameters, first, resized, layout):
    weights = from_file(network)
    network_model = make(model, **parameters, layout=layout, pretrained=True)
    state = state_of(model, network_model)
    # The weights of the first layer are repeated over the channels and scaled; for a single channel, they are summed.
    published_weight = weights.pop(f"{first}.weight")
    channels = torch.arange(20) % 3
    expected = (
        published_weight[:, channels] * (3 / 20) if layout == "stacked" else published_weight.sum(dim=1, keepdim=True)
    )
    assert torch.allclose(state.pop(f"{first}.weight"), expected, atol=1e-6)
    # A ViT may name its last norm `fc_norm`; its weights are those of `norm` in the file.
    state = {name.replace("fc_norm.", "norm.") if model == "vit" else name: value for name, value in state.items()}
    others = {name for name in state if not name.startswith(("head.fc.", "head.")) or "norm" in name}
    others -= {name for name in state if name.endswith(resized or ("none",))}
    assert len(others) > 30 and others <= set(weights)
    assert [name for name in sorted(others) if not torch.equal(state[name], weights[name])] == []
    initial = state_of(model, make(model, **parameters, layout=layout))
    for name in state:
        if name.endswith(resized or ("none",)):  # resized published weights, not initial ones
            assert state[name].shape == initial[name].shape
            assert (state[name].mean() - weights[name].mean()).abs() < 0.02 < weights[name].mean()
    x = torch.randn(2, 20, 32, 32)
    with torch.no_grad():
        assert network_model(x).shape == (2, 3) and network_model(x).isfinite().all()


@pytest.mark.parametrize(("model", "network", "parameters"), [case[:3] for case in CASES], ids=IDS)
def test_the_error_without_network_access_has_instructions(offline, model, network, parameters):
    with pytest.raises(
        InputError, match=f"weights of timm's {network} can't be loaded.*HF_HOME.* or set pretrained to false"
    ):
        make(model, **parameters, pretrained=True)


@pytest.mark.parametrize(
    ("model", "network", "parameters"),
    [
        ("mine", "convnext_atto", {"timm": "convnext_atto"}),
        ("inception", "inception_v3", {"cut": "Conv2d_4a_3x3", "width": 16}),
    ],
    ids=["convnext", "inception"],
)
@torch.no_grad()
def test_loading_a_saved_model_downloads_nothing(from_file, offline, tmp_path, monkeypatch, model, network, parameters):
    parameters = {**parameters, "pretrained": True}
    with monkeypatch.context():
        from_file(network)
        classifier = Classifier(model, SHAPE, parameters, "patients").eval()
    description = {"model": model, "shape": SHAPE, "parameters": parameters, "normalization": "patients"}
    save_classifier(tmp_path, classifier, description)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timm, "create_model", timm.create_model.func)  # the original function, without the file
        with pytest.raises(InputError):
            Classifier(model, SHAPE, parameters, "patients")
        loaded, description = load_classifier(tmp_path)
    x = torch.randn(2, 20, 32, 32)
    assert torch.equal(loaded(x), classifier(x)) and description["parameters"]["pretrained"] is True


@pytest.mark.parametrize(
    "architecture", ["vit_relpos_small_patch16_224", "vit_little_patch16_reg4_gap_256", "vit_small_patch16_dinov3"]
)
def test_an_architecture_that_is_not_a_plain_vit_is_rejected(architecture):
    with pytest.raises(ValueError, match="not a plain ViT"):
        make("vit", architecture=architecture)


def test_a_network_that_uses_only_class_tokens_is_rejected():
    with pytest.raises(ValueError, match="deit_tiny_distilled_patch16_224 uses only its class tokens"):
        make("mine", timm="deit_tiny_distilled_patch16_224")


@pytest.mark.parametrize(
    ("model", "parameters"), [("lstm", {"layers": 1.5}), ("transformer", {"width": 32.5}), ("vit", {"heads": 0})]
)
def test_unusable_parameters_raise_a_value_error(model, parameters):
    """A trial with such parameters is then recorded as failed, with the reason."""
    with pytest.raises(ValueError, match=f"{model} can't be made of"):
        make(model, **parameters)


@pytest.mark.parametrize("model", ["transformer", "vit"])
def test_a_transformer_without_blocks_is_rejected(model):
    with pytest.raises(ValueError, match="depth is 0; expected at least 1"):
        make(model, depth=0)
