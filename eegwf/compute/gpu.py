"""The GPU of a job: seen or not, and which of several."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from eegwf.errors import InputError
from eegwf.storage.locks import try_lock

# What CUDA_VISIBLE_DEVICES says where no GPU was given.
NONE_GIVEN = (None, "", "-1", "NoDevFiles")
DRIVER = Path("/proc/driver/nvidia/version")


def check_gpu(device: str) -> bool:
    """Whether torch sees a GPU; refuses to go on without one where one was asked for or given.

    A scheduler that gives a GPU names it in `CUDA_VISIBLE_DEVICES`. A training that then went on with the CPU would
    hold it for nothing, and for days.

    Parameters
    ----------
    device
        `auto` or `cuda`.

    Raises
    ------
    InputError
        With what was seen instead.
    """
    if torch.cuda.is_available():
        return True
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if device == "auto" and given in NONE_GIVEN:
        return False
    asked = "device: cuda" if device == "cuda" else "this job was given one"
    raise InputError(f"{asked}, but torch sees no GPU: {'; '.join(_seen(given))}. {_cure()}")


def _seen(given: str | None) -> list[str]:
    found = [f"torch {torch.__version__} is built for {_version(torch.version.cuda)}"]
    if DRIVER.exists():
        found.append(f"the driver is {DRIVER.read_text(errors='replace').splitlines()[0].strip()}")
    else:
        found.append(f"no NVIDIA driver is loaded ({DRIVER} is not there)")
    return [*found, f"CUDA_VISIBLE_DEVICES is {'not set' if given is None else repr(given)}"]


def _version(cuda: str | None) -> str:
    return f"CUDA {cuda}" if cuda else "the CPU alone"


def _cure() -> str:
    if torch.version.cuda is None:
        return "Install a torch that is built for CUDA, or set `device: cpu`"
    if not DRIVER.exists():
        return "Send the job to a node that has a GPU, or set `device: cpu`"
    if "APPTAINER_CONTAINER" in os.environ and not Path("/.singularity.d/libs/libcuda.so.1").exists():
        return "Start the container with --nv (snakemake --apptainer-args=--nv), or set `device: cpu`"
    return "If the driver is older than that CUDA, take a torch built for an older one; or set `device: cpu`"


def own_gpu(uuids: Sequence[str], folder: Path | None = None) -> int:
    """Place of the first GPU that no other process of this user on this machine has taken, and take it.

    It is given back when the process ends, however it does. If all are taken it is the first: Snakemake was not told
    how many there are (`--resources gpu=N`), and they are shared.

    Parameters
    ----------
    uuids
        Of the GPUs that torch sees, in its order.
    folder
        Of the locks; by default one of this user in the machine's folder for temporary files.
    """
    if folder is None:
        folder = Path(tempfile.gettempdir()) / f"eegwf-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for place, uuid in enumerate(uuids):
        if try_lock(folder / f"{uuid}.lock") is not None:
            return place
    return 0
