"""The numbers of weights that the models' notes give."""

import math

import pytest

from tests.helpers.small_models import both_layouts, count, make


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
