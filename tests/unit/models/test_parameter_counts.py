"""Numbers of parameters, compared with the formulas in the docstrings of the models."""

import math

import pytest

from eegwf.models.registry import build
from tests.helpers.small_models import both_layouts, make, n_parameters


@both_layouts
@pytest.mark.parametrize("parameters", [{}, {"layers": 3, "bidirectional": False}, {"attention": "multihead"}], ids=str)
def test_lstm_has_the_documented_number_of_parameters(layout, parameters):
    model, width, hidden = make("lstm", layout, (20, 64, 96), **parameters), 16, 8
    r = 1 if "bidirectional" in parameters else 2
    state_size, frame_size = r * hidden, 64 if layout == "mosaic" else 20 * 64
    n_further = parameters.get("layers", 1) - 1
    recurrent = 4 * r * hidden * (width + hidden + 2) + n_further * 4 * r * hidden * (state_size + hidden + 2)
    pooling = 2 * state_size + state_size**2 + (0 if "attention" in parameters else state_size) + state_size
    assert n_parameters(model.frames) == (frame_size + 1) * width and n_parameters(model.lstm) == recurrent
    assert n_parameters(model) == (frame_size + 1) * width + recurrent + pooling + (state_size + 1) * 3


@both_layouts
def test_transformers_have_about_the_documented_number_of_parameters(layout):
    n_chans, shape = 20 if layout == "stacked" else 1, (20, 64, 96)
    parameters = {"width": 32, "feedforward": 128, "depth": 3}
    blocks = 3 * (4 * 32 + 2 * 128) * 32
    assert n_parameters(make("transformer", layout, shape, **parameters)) == pytest.approx(
        n_chans * 64 * 32 + blocks, rel=0.15
    )
    vit = make("vit", layout, shape, width=32, depth=3, mlp_ratio=4.0, patch_freqs=8, patch_times=6)
    tokens = 8 * 16 * (20 if layout == "mosaic" else 1)
    assert n_parameters(vit) == pytest.approx(n_chans * 48 * 32 + tokens * 32 + 3 * 12 * 32**2, rel=0.15)
    stages = make("swin", layout, shape, width=32, depths="2-1-3").transformer.layers
    for stage, (layer, depth) in enumerate(zip(stages, (2, 1, 3), strict=True)):
        assert n_parameters(layer.blocks) == pytest.approx(depth * 8 * (2**stage * 32) ** 2, rel=0.15)
        assert n_parameters(layer.downsample) == pytest.approx(
            8 * (2 ** (stage - 1) * 32) ** 2 if stage else 0, rel=0.15
        )


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_transcnn_has_about_the_documented_number_of_parameters(stages):
    parameters = {"filters": 16, "stages": stages, "width": 32, "feedforward": 64, "depth": 2}
    model = make("transcnn", shape=(20, 16, 16), **parameters)
    stem = 9 * 20 * 16 + 16**2 * (4.5 * 4**stages - 9) + 2 ** (stages - 1) * 16 * 32
    stem += model.encoder.pos_embed.numel()
    assert n_parameters(model) == pytest.approx(stem + 2 * (4 * 32 + 2 * 64) * 32, rel=0.15)


@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize("n_parts", [1, 3])
def test_sharedcnn_has_about_the_documented_number_of_parameters(stages, n_parts):
    parameters = {"filters": 16, "stages": stages, "width": 32}
    shape = {"n_chans": 18, "n_freqs": 16, "n_frames": 16, "n_outputs": 3}
    model = build("sharedcnn", shape, parameters, {"freqs": [[1.0]] * n_parts})
    rows, last = 16 / 2**stages, 2 ** (stages - 1) * 16
    stem = 25 * n_parts * 16 + 1.5 * (4**stages - 4) * 16**2
    assert n_parameters(model) == pytest.approx(stem + last * rows * 32 + 3 * 32 * 3, rel=0.1)


@pytest.mark.parametrize(
    ("cut", "stem"),
    [
        ("Conv2d_4a_3x3", 0.2e6),
        ("Mixed_5d", 1.0e6),
        ("Mixed_6e", 9e6),
    ],
)
def test_inception_has_about_the_documented_number_of_parameters(cut, stem):
    model = make("inception", cut=cut)
    assert n_parameters(model.stem) == pytest.approx(stem, rel=0.15)
    if cut == "Mixed_5d":
        rest = 288 * 64 + math.prod(model.encoder.grid) * 64 + 2 * (4 * 64 + 2 * 256) * 64
        model = make("inception", cut=cut, width=64, feedforward=256, depth=2)
        assert n_parameters(model) - n_parameters(model.stem) == pytest.approx(rest, rel=0.15)
