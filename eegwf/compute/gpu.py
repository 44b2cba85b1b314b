"""Check that a job sees a GPU, and select one of several."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from eegwf.errors import InputError
from eegwf.storage.locks import try_lock

# Values of CUDA_VISIBLE_DEVICES if no GPU was assigned.
UNASSIGNED = (None, "", "-1", "NoDevFiles")
DRIVER = Path("/proc/driver/nvidia/version")


def check_gpu(device: str, key: str = "device") -> bool:
    """Whether torch sees a GPU; without one, refuse to continue if a GPU was requested or assigned.

    A scheduler that assigns a GPU names it in `CUDA_VISIBLE_DEVICES`. A training that ran on the CPU instead would
    occupy the GPU for days without using it.

    Parameters
    ----------
    device
        `auto` or `cuda`.
    key
        Configuration key of the device, for errors.

    Returns
    -------
    bool
        True if torch sees a GPU, False if it sees none and none was requested or assigned.

    Raises
    ------
    InputError
        If a GPU was requested or assigned and torch sees none; the message describes torch, the driver and the
        environment.
    """
    if torch.cuda.is_available():
        return True
    assigned = os.environ.get("CUDA_VISIBLE_DEVICES")
    if device == "auto" and assigned in UNASSIGNED:
        return False
    expected = f"{key}: cuda" if device == "cuda" else "a GPU was assigned to this job"
    raise InputError(f"{expected}, but torch sees no GPU: {'; '.join(_findings(assigned))}. {_remedy(key)}")


def _findings(assigned: str | None) -> list[str]:
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU only"
    findings = [f"torch {torch.__version__} is built for {build}"]
    if DRIVER.exists():
        findings.append(f"the driver is {DRIVER.read_text(errors='replace').splitlines()[0].strip()}")
    else:
        findings.append(f"no NVIDIA driver is loaded ({DRIVER} does not exist)")
    return [*findings, f"CUDA_VISIBLE_DEVICES is {'not set' if assigned is None else repr(assigned)}"]


def _remedy(key: str) -> str:
    if torch.version.cuda is None:
        return f"Install a torch that is built for CUDA, or set `{key}: cpu`"
    if not DRIVER.exists():
        return f"Send the job to a node that has a GPU, or set `{key}: cpu`"
    if "APPTAINER_CONTAINER" in os.environ and not Path("/.singularity.d/libs/libcuda.so.1").exists():
        return f"Start the container with --nv (snakemake --apptainer-args=--nv), or set `{key}: cpu`"
    return f"If the driver is older than this CUDA, install a torch built for an older CUDA, or set `{key}: cpu`"


def claim_gpu(uuids: Sequence[str], folder: Path | None = None) -> int:
    """Claim the first GPU that no other process of this user on this machine has claimed.

    The claim is a lock, which the kernel releases when the process ends, also after a kill. If all GPUs are claimed,
    the result is 0 and that GPU is shared; this happens if Snakemake does not know the number of GPUs
    (`--resources gpu=N`).

    Parameters
    ----------
    uuids
        UUIDs of the GPUs, in the order of torch.
    folder
        Folder of the locks; by default a folder of this user in the temporary folder of the machine.

    Returns
    -------
    int
        Index of the GPU.
    """
    if folder is None:
        folder = Path(tempfile.gettempdir()) / f"eegwf-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for index, uuid in enumerate(uuids):
        if try_lock(folder / f"{uuid}.lock") is not None:
            return index
    return 0
