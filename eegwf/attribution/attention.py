"""Maps from the attention weights of networks whose tokens cover the whole window."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from eegwf.attribution.attribute import AttributionInput
from eegwf.attribution.target import contrast
from eegwf.models.vit import ViT

ATTENTION_BYTES = 1 << 28
"""Bytes of the attention weights of the windows that are processed together."""


@dataclass
class Attention:
    """Attention of a forward pass.

    Attributes
    ----------
    weights
        For each block `(n_sequences, heads, n_tokens, n_tokens)`, from the first to the last; rows have sum 1.
    tokens
        Tokens that are pooled for the output, `(n_sequences, n_tokens, width)`.
    """

    weights: list[torch.Tensor] = field(default_factory=list)
    tokens: torch.Tensor = field(default_factory=lambda: torch.empty(0))


def rollout(given: AttributionInput) -> torch.Tensor:
    """Attention rollout (Abnar and Zuidema 2020) of each window, see `_rollout`."""
    return torch.cat([_rollout(part) for part in _parts(given)])


def _rollout(given: AttributionInput) -> torch.Tensor:
    """Attention rollout (Abnar and Zuidema 2020).

    The product over the blocks of the mean attention of the heads, to which half of the identity is added for the
    residual connection. It does not depend on the class.
    """
    network: Any = given.classifier.network
    with torch.no_grad(), recorded(network) as attention:
        network(given.x)
    flow = _identity(attention.weights[0])
    for weights in attention.weights:
        flow = (weights.mean(dim=1) + _identity(weights)) / 2 @ flow
    return _expand(network, attention, flow)


def gradient_attention(given: AttributionInput) -> torch.Tensor:
    """Gradient-weighted attention (Chefer et al. 2021) of each window, see `_gradient_attention`."""
    return torch.cat([_gradient_attention(part) for part in _parts(given)])


def _gradient_attention(given: AttributionInput) -> torch.Tensor:
    """Gradient-weighted attention (Chefer et al. 2021).

    In each block, the positive part of attention times its gradient, averaged over the heads, is added to what was
    passed on by the blocks before.
    """
    network: Any = given.classifier.network
    with torch.enable_grad(), recorded(network) as attention:
        x = given.x.detach().requires_grad_()
        score = contrast(network(x), given.target).sum()
        gradients = torch.autograd.grad(score, attention.weights)
    flow = _identity(attention.weights[0])
    for weights, gradient in zip(attention.weights, gradients, strict=True):
        flow = flow + (weights.detach() * gradient).clamp_min(0).mean(dim=1) @ flow
    return _expand(network, attention, flow - _identity(attention.weights[0]))


def _parts(given: AttributionInput) -> Iterator[AttributionInput]:
    """Windows in parts whose attention needs limited memory: it is quadratic in the number of tokens."""
    network: Any = given.classifier.network
    vit = isinstance(network, ViT)
    blocks: Any = network.transformer.blocks if vit else network.encoder.blocks
    heads = blocks[0].attn.num_heads if vit else blocks[0].self_attn.num_heads
    n_tokens = math.prod(network.grid) if vit else given.inputs.shape[3]
    n_sequences = 1 if vit else network.encoder.n_sequences
    size = max(1, ATTENTION_BYTES // (4 * len(blocks) * heads * n_sequences * n_tokens**2))
    for start in range(0, len(given.inputs), size):
        part = slice(start, start + size)
        yield replace(given, inputs=given.inputs[part], target=given.target[part], rows=given.rows[part])


def attention_weights(given: AttributionInput) -> torch.Tensor:
    """Weights with which the LSTM's attention pools the frames, mean over the heads."""
    network: Any = given.classifier.network
    with torch.no_grad():
        weights = network.attend(given.x)[1]
    return network.upsample_to_input(weights.mean(dim=2)[:, None])


@contextmanager
def recorded(network: Any) -> Iterator[Attention]:
    """Record the attention of the forward passes of a ViT or Transformer.

    Fused attention does not compute the weights as an array, so it is replaced by explicit products.
    """
    attention = Attention()
    encoder = network.transformer if isinstance(network, ViT) else network.encoder
    with _hooks() as add:
        if isinstance(network, ViT):
            for block in encoder.blocks:
                add(block.attn, _timm_attention(attention))
        else:
            for block in encoder.blocks:
                add(block.self_attn, _torch_attention(attention))
        add(encoder.norm, lambda module, args, output: setattr(attention, "tokens", output))
        yield attention


@contextmanager
def _hooks() -> Iterator[Callable[..., None]]:
    handles: list[Any] = []
    try:
        yield lambda module, hook: handles.append(module.register_forward_hook(hook))
    finally:
        for handle in handles:
            handle.remove()


def _timm_attention(attention: Attention) -> Callable[..., torch.Tensor]:
    def hook(module: Any, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
        x = args[0]
        q, k, v = module.qkv(x).unflatten(2, (3, module.num_heads, -1)).permute(2, 0, 3, 1, 4)
        heads = _attend(attention, module.q_norm(q) * module.scale, module.k_norm(k), v)
        return module.proj(module.norm(heads.transpose(1, 2).flatten(2)))

    return hook


def _torch_attention(attention: Attention) -> Callable[..., tuple[torch.Tensor, None]]:
    def hook(module: nn.MultiheadAttention, args: tuple[torch.Tensor, ...], output: Any) -> tuple[torch.Tensor, None]:
        projected = nn.functional.linear(args[0], module.in_proj_weight, module.in_proj_bias)
        q, k, v = projected.unflatten(2, (3, module.num_heads, -1)).permute(2, 0, 3, 1, 4)
        heads = _attend(attention, q * module.head_dim**-0.5, k, v)
        return module.out_proj(heads.transpose(1, 2).flatten(2)), None

    return hook


def _attend(attention: Attention, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Attention of queries that are scaled already; the weights are recorded."""
    weights = (q @ k.transpose(-2, -1)).softmax(dim=-1)
    attention.weights.append(weights)
    return weights @ v


def _identity(weights: torch.Tensor) -> torch.Tensor:
    return torch.eye(weights.shape[-1], dtype=weights.dtype, device=weights.device)


def _expand(network: Any, attention: Attention, flow: torch.Tensor) -> torch.Tensor:
    """Maps of the input from what each pooled token received of each input token, `(n_sequences, n_tokens, n_tokens)`.

    Pooled tokens are weighted by their part in the pooling: equally for the mean; for the maximum, by the share of the
    features whose maximum they have.
    """
    vit = isinstance(network, ViT)
    n_sequences = 1 if vit else network.encoder.n_sequences
    tokens = attention.tokens.detach().unflatten(0, (-1, n_sequences))
    if (network.transformer.global_pool if vit else network.encoder.pool) == "max":
        pooled = tokens.flatten(1, 2)
        part = torch.zeros_like(pooled[..., 0]).scatter_add_(1, pooled.argmax(dim=1), torch.ones_like(pooled[:, 0]))
        part = part.unflatten(1, (n_sequences, -1))
    else:
        part = torch.ones_like(tokens[..., 0])
    received = torch.einsum("bsi,bsij->bsj", part, flow.detach().unflatten(0, (-1, n_sequences)))
    maps = received.reshape(len(received), 1, *network.grid) if vit else received[:, None]
    return network.upsample_to_input(maps)
