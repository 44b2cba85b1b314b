"""Vision Transformer: any input size, every bin is used, windows of a batch are independent."""

import numpy as np
import pytest
import torch

from eegwf.models.registry import build


def vit(n_chans=3, n_freqs=10, n_frames=12, n_outputs=3, **changes):
    torch.manual_seed(0)
    shape = {"n_chans": n_chans, "n_freqs": n_freqs, "n_frames": n_frames, "n_outputs": n_outputs}
    parameters = {"patch_freqs": 4, "patch_times": 5, "width": 16, "heads": 2, **changes}
    return build("vit", shape, parameters).eval()


@pytest.mark.parametrize(("n_chans", "n_freqs", "n_frames"), [(19, 10, 12), (20, 64, 96), (22, 7, 5), (1, 3, 4)])
def test_any_input_size_has_one_logit_per_class(n_chans, n_freqs, n_frames):
    x = torch.randn(2, n_chans, n_freqs, n_frames)
    assert vit(n_chans, n_freqs, n_frames)(x).shape == (2, 3)


def test_number_of_tokens_is_that_of_the_padded_patches():
    assert vit(n_freqs=10, n_frames=12).transformer.pos_embed.shape[1] == 3 * 3
    assert vit(n_freqs=8, n_frames=10).transformer.pos_embed.shape[1] == 2 * 2


@pytest.mark.parametrize("where", [(slice(None), -1, slice(None)), (slice(None), slice(None), -1)])
def test_output_depends_on_the_last_row_and_column(where):
    model, x = vit(), torch.randn(1, 3, 10, 12)
    changed = x.clone()
    changed[0][where] += 1
    assert not torch.allclose(model(x), model(changed), atol=1e-6)


def test_output_depends_on_every_bin():
    x = torch.randn(1, 3, 10, 12, requires_grad=True)
    vit()(x)[0, 0].backward()
    assert (x.grad != 0).all()


def test_windows_of_a_batch_are_independent():
    model, x = vit(), torch.randn(5, 3, 10, 12)
    separate = torch.cat([model(window[None]) for window in x])
    assert torch.allclose(model(x), separate, atol=1e-6)
    assert torch.allclose(model(x.flip(0)).flip(0), model(x), atol=1e-6)


def test_a_token_depends_only_on_its_patch():
    # With one block, `gradcam_layer` returns the embedded patches; token (i, j) must depend only on patch (i, j).
    model = vit(depth=1)
    outputs = []
    model.gradcam_layer.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    x = torch.randn(1, 3, 10, 12, requires_grad=True)
    model(x)
    assert outputs[0].shape[2:] == (3, 3)
    for i, j in [(0, 0), (1, 2), (2, 1)]:
        gradient = torch.autograd.grad(outputs[0][0, :, i, j].sum(), x, retain_graph=True)[0][0].abs().sum(0)
        inside = np.zeros((10, 12), dtype=bool)
        inside[4 * i : 4 * i + 4, 5 * j : 5 * j + 5] = True
        assert ((gradient > 0).numpy() == inside).all()


def test_a_patch_of_a_mosaic_covers_a_single_channel():
    model = vit(depth=1, layout="mosaic")
    outputs = []
    model.gradcam_layer.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    x = torch.randn(1, 3, 10, 12, requires_grad=True)
    model(x)
    assert outputs[0].shape[2:] == (9, 3)
    # Row 4 of the grid: the second patch of the second channel, rows 4 to 7.
    gradient = torch.autograd.grad(outputs[0][0, :, 4, 1].sum(), x)[0][0].abs()
    inside = np.zeros((3, 10, 12), dtype=bool)
    inside[1, 4:8, 5:10] = True
    assert ((gradient > 0).numpy() == inside).all()


def test_mosaic_maps_are_aligned_with_the_input():
    model = vit(layout="mosaic")
    maps = torch.zeros(1, 1, 9, 3)
    maps[0, 0, [0, 3, 6], 2] = 1.0  # the lowest frequencies and the last times of every channel
    resized = model.upsample_to_input(maps)[0]
    assert resized.shape == (3, 10, 12)
    expected = torch.zeros(3, 10, 12)
    expected[:, :4, 10:] = 1.0  # patches of 4 x 5 bins
    assert torch.equal(resized, expected)
    maps[0, 0, 3, 2] = 5.0  # the second channel
    expected[1] *= 5
    assert torch.equal(model.upsample_to_input(maps)[0], expected)


def test_an_unknown_layout_is_rejected():
    with pytest.raises(ValueError, match="layout 'tiled'"):
        vit(layout="tiled")


def test_output_depends_on_the_order_of_frames():
    model, x = vit(), torch.randn(1, 3, 10, 12)
    assert not torch.allclose(model(x), model(x[..., torch.randperm(12)]), atol=1e-5)


def test_dropout_applies_in_training_only():
    model, x = vit(dropout=0.3), torch.randn(4, 3, 10, 12)
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))


def test_output_is_logits_not_probabilities():
    out = vit()(100 * torch.randn(64, 3, 10, 12))
    assert out.min() < 0
    assert not torch.allclose(out.sum(dim=1), torch.ones(64), atol=1e-2)


def test_every_parameter_has_a_gradient():
    model = vit(dropout=0.0)
    torch.nn.functional.cross_entropy(model(torch.randn(8, 3, 10, 12)), torch.arange(8) % 3).backward()
    without_gradient = [
        name for name, value in model.named_parameters() if value.grad is None or not value.grad.abs().any()
    ]
    assert without_gradient == []


def test_vit_overfits_32_windows():
    model = vit(n_freqs=10, n_frames=12, dropout=0.0).train()
    x, y = torch.randn(32, 3, 10, 12), torch.arange(32) % 3
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(120):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert (model.eval()(x).argmax(1) == y).all()


def test_heads_that_do_not_divide_the_width_are_rejected():
    with pytest.raises(ValueError, match="width 16 is not a multiple of heads 3"):
        vit(heads=3)


@pytest.mark.parametrize("layout", ["stacked", "mosaic"])
def test_patch_embedding_equals_that_of_timm(layout):
    model, x = vit(layout=layout), torch.randn(2, 3, 10, 12)
    image = model.image_layout(x)
    expected = model.transformer._pos_embed(model.transformer.patch_embed(image))
    assert torch.allclose(model.embed(image), expected, atol=1e-5)
