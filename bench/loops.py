"""Training loops as one writes them by hand, to compare the trainer with: the same ViT, single precision, eager."""

from collections.abc import Callable

import numpy as np
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.utils.data import DataLoader, Dataset

from bench.study import BATCH, DEPTH, DROPOUT, HEADS, MLP_RATIO, N_OUTPUTS, PATCH, WIDTH

LR = 1e-3
WORKERS = 4  # of the data loader, on a GPU


class PatchTransformer(nn.Module):
    """A ViT from torch's own layers: patches in, logits out.

    Parameters
    ----------
    n_values
        Of a patch.
    n_patches
        Of a window.
    attention_dropout
        Whether attention is dropped too, as torch's layer does it; else what is left has the dropout of timm's ViT.
    """

    def __init__(self, n_values: int, n_patches: int, attention_dropout: bool):
        super().__init__()
        self.projection = nn.Linear(n_values, WIDTH)
        self.positions = nn.Parameter(torch.randn(1, n_patches, WIDTH) * 0.02)
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, int(MLP_RATIO * WIDTH), DROPOUT, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, DEPTH)
        if not attention_dropout:
            for block in self.encoder.layers:
                block.self_attn.dropout = 0.0
        self.head = nn.Linear(WIDTH, N_OUTPUTS)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, N_OUTPUTS)` of patches `(batch, n_patches, n_values)`."""
        return self.head(self.encoder(self.projection(patches) + self.positions).mean(dim=1))


def cut(images: torch.Tensor) -> torch.Tensor:
    """Patches `(batch, n_patches, n_values)` of images, one after the other."""
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
    """One epoch of a loop that cuts patches in Python, and asks for loss and accuracy at every step.

    Parameters
    ----------
    x
        Normalised windows, float32 `(n_windows, n_chans, n_freqs, n_times)`, in the host's memory.
    label
        Their classes.
    device
        Where the model is.
    batch_size
        Windows a step.
    attention_dropout
        See `PatchTransformer`.
    """
    windows, targets = torch.from_numpy(x), torch.from_numpy(label)
    n_patches = (x.shape[2] // PATCH) * (x.shape[3] // PATCH)
    model = PatchTransformer(x[0].size // n_patches, n_patches, attention_dropout).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR)
    criterion = nn.CrossEntropyLoss()

    def epoch() -> None:
        model.train()
        for rows in torch.randperm(len(windows)).split(batch_size):
            patches, target = cut(windows[rows]).to(device), targets[rows].to(device)
            optimizer.zero_grad()
            logits = model(patches)
            loss = criterion(logits, target)
            loss.backward()
            optimizer.step()
            _ = loss.item(), (logits.argmax(dim=1) == target).float().mean().item()

    return epoch


class Windows(Dataset):
    """Windows of an array in the host's memory, with their classes."""

    def __init__(self, x: np.ndarray, label: np.ndarray):
        self.x, self.label = x, label

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(self.x[row]), int(self.label[row])


def loader_loop(x: np.ndarray, label: np.ndarray, device: str, batch_size: int = BATCH) -> Callable[[], None]:
    """One epoch of timm's ViT on torch's data loader; the loss is asked for at every step. Parameters as above."""
    gpu = device == "cuda"
    workers = {"num_workers": WORKERS, "persistent_workers": True, "pin_memory": True} if gpu else {}
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
