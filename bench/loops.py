"""Handwritten training loops that the trainer is compared with: the same ViT, in single precision, not compiled."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.utils.data import DataLoader, Dataset

from bench.study import BATCH, DEPTH, DROPOUT, HEADS, MLP_RATIO, N_OUTPUTS, PATCH, WIDTH

LR = 1e-3
WORKERS = 4
"""Worker processes of the data loader on a GPU."""


class PatchTransformer(nn.Module):
    """ViT made of torch's layers, from patches to logits.

    Parameters
    ----------
    n_values
        Number of values of a patch.
    n_patches
        Number of patches of a window.
    attention_dropout
        Whether dropout is also applied to the attention, as in torch's layer; without it, the dropout equals that of
        timm's ViT.
    """

    def __init__(self, n_values: int, n_patches: int, attention_dropout: bool):
        super().__init__()
        self.projection = nn.Linear(n_values, WIDTH)
        self.positions = nn.Parameter(torch.randn(1, n_patches, WIDTH) * 0.02)
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, int(MLP_RATIO * WIDTH), DROPOUT, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, DEPTH)
        if not attention_dropout:
            for attention in self.modules():
                if isinstance(attention, nn.MultiheadAttention):
                    attention.dropout = 0.0
        self.head = nn.Linear(WIDTH, N_OUTPUTS)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, N_OUTPUTS)` of patches `(batch, n_patches, n_values)`."""
        return self.head(self.encoder(self.projection(patches) + self.positions).mean(dim=1))


def cut_patches(images: torch.Tensor) -> torch.Tensor:
    """Cut images into patches (batch, n_patches, n_values), one image after the other."""
    stacked = []
    for image in images:
        patches = []
        for top in range(0, image.shape[1], PATCH):
            for left in range(0, image.shape[2], PATCH):
                patches.append(image[:, top : top + PATCH, left : left + PATCH].reshape(-1))
        stacked.append(torch.stack(patches))
    return torch.stack(stacked)


def patch_loop(
    x: np.ndarray, label: np.ndarray, device: str, batch_size: int = BATCH, attention_dropout: bool = True
) -> Callable[[], None]:
    """Make a loop that cuts patches in Python and reads loss and accuracy at every step.

    Parameters
    ----------
    x
        Normalized windows, float32 (n_windows, n_chans, n_freqs, n_frames), in host memory.
    label
        Class indices of the windows.
    device
        Device of the model.
    batch_size
        Windows per step.
    attention_dropout
        See `PatchTransformer`.

    Returns
    -------
    Callable
        Function that trains for one epoch.
    """
    windows, targets = torch.from_numpy(x), torch.from_numpy(label)
    n_patches = (x.shape[2] // PATCH) * (x.shape[3] // PATCH)
    model = PatchTransformer(x[0].size // n_patches, n_patches, attention_dropout).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR)
    criterion = nn.CrossEntropyLoss()

    def epoch() -> None:
        model.train()
        for rows in torch.randperm(len(windows)).split(batch_size):
            patches, target = cut_patches(windows[rows]).to(device), targets[rows].to(device)
            optimizer.zero_grad()
            logits = model(patches)
            loss = criterion(logits, target)
            loss.backward()
            optimizer.step()
            _ = loss.item(), (logits.argmax(dim=1) == target).float().mean().item()

    return epoch


class Windows(Dataset[tuple[torch.Tensor, int]]):
    """Windows of an array in host memory, with their classes.

    Parameters
    ----------
    x
        Normalized windows, float32 (n_windows, n_chans, n_freqs, n_frames).
    label
        Class indices of the windows.
    """

    def __init__(self, x: np.ndarray, label: np.ndarray):
        self.x, self.label = x, label

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(self.x[row]), int(self.label[row])


def loader_loop(x: np.ndarray, label: np.ndarray, device: str, batch_size: int = BATCH) -> Callable[[], None]:
    """Make a loop with timm's ViT and torch's data loader that reads the loss at every step.

    Parameters
    ----------
    x
        Normalized windows, float32 (n_windows, n_chans, n_freqs, n_frames), in host memory.
    label
        Class indices of the windows.
    device
        Device of the model.
    batch_size
        Windows per step.

    Returns
    -------
    Callable
        Function that trains for one epoch.
    """
    gpu = device == "cuda"
    workers: dict[str, Any] = {"num_workers": WORKERS, "persistent_workers": True, "pin_memory": True} if gpu else {}
    loader = DataLoader(Windows(x, label), batch_size, shuffle=True, **workers)
    model = VisionTransformer(
        img_size=x.shape[2:],
        patch_size=PATCH,
        in_chans=x.shape[1],
        num_classes=N_OUTPUTS,
        class_token=False,
        global_pool="avg",
        embed_dim=WIDTH,
        depth=DEPTH,
        num_heads=HEADS,
        mlp_ratio=MLP_RATIO,
        drop_rate=DROPOUT,
        proj_drop_rate=DROPOUT,
    ).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR)
    criterion = nn.CrossEntropyLoss()

    def epoch() -> None:
        model.train()
        for images, target in loader:
            images, target = images.to(device, non_blocking=gpu), target.to(device, non_blocking=gpu)
            optimizer.zero_grad()
            loss = criterion(model(images), target)
            loss.backward()
            optimizer.step()
            loss.item()

    return epoch
