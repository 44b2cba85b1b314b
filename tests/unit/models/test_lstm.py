"""The LSTM and the settings of cuDNN."""

import pytest
import torch

from tests.helpers.small_models import make, random_input

SETTINGS = ("benchmark", "deterministic", "allow_tf32")


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_forward_pass_keeps_the_settings_of_cudnn(monkeypatch, training, value):
    for name in SETTINGS:
        monkeypatch.setattr(torch.backends.cudnn, name, value)
    model, seen = make("lstm", "stacked").train(training), []
    model.lstm.register_forward_hook(lambda *_: seen.append([getattr(torch.backends.cudnn, name) for name in SETTINGS]))
    model(random_input(2, 3, 12, 16))
    assert seen == [[value] * 3]


@pytest.mark.parametrize(
    ("training", "gradients", "enabled"), [(True, True, True), (False, False, True), (False, True, False)]
)
def test_cudnn_is_disabled_for_gradients_in_evaluation_mode_only(training, gradients, enabled):
    model, seen = make("lstm", "stacked").train(training), []
    model.lstm.register_forward_hook(lambda *_: seen.append(torch.backends.cudnn.enabled))
    with torch.set_grad_enabled(gradients):
        model(random_input(2, 3, 12, 16))
    assert seen == [enabled] and torch.backends.cudnn.enabled
