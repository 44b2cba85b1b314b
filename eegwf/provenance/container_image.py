"""Container image of the jobs, and the check that it matches the checkout.

The labels of an image contain digests of its library and of its lock file. Both are compared with the checkout, since
an image with another library would compute something else than the code digests in the rules say.
"""

import argparse
import hashlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from eegwf import __version__
from eegwf.errors import InputError
from eegwf.provenance.git import ROOT
from eegwf.storage.files import digest_file, write_text

# Checkout and labels inside an image.
INSIDE = Path("/opt/eegwf")
LABELS = Path("/.singularity.d/labels.json")
PYTHON = INSIDE / "venv/bin/python"
LOCK = "envs/eegwf.txt"
# Written by `make image`.
IMAGE = "containers/eegwf.sif"
KINDS = (".py", ".html", ".css", ".js", ".json")
NEEDED = (
    "captum",
    "edfio",
    "matplotlib",
    "mne",
    "optuna",
    "sklearn",
    "timescoring",
    "timm",
    "torcheval",
    "torchvision",
)


def code_of(root: Path) -> str:
    """Digest of the names and contents of a checkout's library and scripts: 16 hexadecimal digits."""
    files = [path for folder in ("eegwf", "workflow/scripts") for path in (root / folder).rglob("*")]
    names = sorted(path.relative_to(root).as_posix() for path in files if path.suffix in KINDS)
    whole = hashlib.sha256()
    for name in names:
        whole.update(f"{name} {digest_file(root / name)}\n".encode())
    return whole.hexdigest()[:16]


def labels_of(root: Path) -> dict[str, str]:
    """Labels of an image that is built from a checkout: digests of code and lock file."""
    return {"eegwf.code": code_of(root), "eegwf.lock": digest_file(root / LOCK)}


def read_labels(image: Path) -> dict[str, str]:
    """Labels of an image.

    Raises
    ------
    InputError
        If the image is missing, or Apptainer can't read it.
    """
    if not image.exists():
        raise InputError(
            f"{image}: no such image; build it with `make image`, or run without containers (--sdm env-modules instead "
            "of apptainer)"
        )
    try:
        done = subprocess.run(
            ["apptainer", "inspect", "--json", str(image)], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)["data"]["attributes"]["labels"]
    except FileNotFoundError:
        raise InputError(
            f"{image}: apptainer is not installed here; load its module, or use a node that has it"
        ) from None
    except (subprocess.CalledProcessError, ValueError, LookupError) as error:
        lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise InputError(f"{image}: Apptainer can't read this image ({lines[-1] if lines else error})") from None


def check_image(image: Path, root: Path = ROOT) -> None:
    """Refuse an image that was built from another library or another lock file than that of a checkout.

    Parameters
    ----------
    image
        The image.
    root
        The checkout.

    Raises
    ------
    InputError
        Naming what differs.
    """
    labels = read_labels(image)
    for name, expected in labels_of(root).items():
        if labels.get(name) != expected:
            part = {"eegwf.code": "library", "eegwf.lock": f"lock ({LOCK})"}[name]
            raise InputError(
                f"{image}: its {part} is {labels.get(name, 'not named')}, but that of this checkout is {expected}; "
                "build the image again with `make image`, or check out the commit that it was built from"
            )


def digest_of(image: Path) -> str:
    """SHA-256 of an image; stored in a file beside it, since images are large."""
    kept = image.with_name(f"{image.name}.sha256")
    # The file has the modification time of its image: any other image, even an older one, has another.
    time = image.stat().st_mtime_ns
    if kept.exists() and kept.stat().st_mtime_ns == time:
        return kept.read_text().split()[0]
    with open(image, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with suppress(OSError):  # the folder may belong to another user
        write_text(kept, f"{digest}  {image.name}\n")
        os.utime(kept, ns=(time, time))
    return digest


def bind(folders: Iterable[Path]) -> None:
    """Add folders to those that Apptainer binds into the containers that this process starts.

    A symbolic link is bound with its target. Folders that the submitting process bound but this node lacks are removed,
    since Apptainer would refuse to start.
    """
    entries = [entry for entry in os.environ.get("APPTAINER_BIND", "").split(",") if entry]
    bound = [entry for entry in entries if Path(entry.partition(":")[0]).exists()]
    for folder in folders:
        if folder.is_dir():
            bound += [str(folder.absolute()), str(folder.resolve())]
    os.environ["APPTAINER_BIND"] = ",".join(dict.fromkeys(bound))


def this_image() -> str | None:
    """SHA-256 of the image that this process runs in; None outside an image."""
    image = Path(os.environ.get("APPTAINER_CONTAINER", ""))
    return f"sha256:{digest_of(image)}" if LABELS.exists() and image.is_file() else None


def check_inside() -> str:
    """Check an image from inside: its labels, its packages, and a computation with torch.

    Returns
    -------
    str
        Versions, for the user.

    Raises
    ------
    InputError
        Naming the fault.
    """
    labels = json.loads(LABELS.read_text())
    wrong = [name for name, value in labels_of(ROOT).items() if labels.get(name) != value]
    if wrong:
        raise InputError(f"labels of the image differ from its files: {', '.join(wrong)}")
    for name in NEEDED:
        importlib.import_module(name)
    torch = importlib.import_module("torch")
    if torch.nn.Linear(3, 2)(torch.ones(4, 3)).shape != (4, 2):
        raise InputError("torch returns a wrong result")
    return f"eegwf {__version__}, torch {torch.__version__}, {len(NEEDED) + 1} packages imported from {sys.prefix}"


def main() -> None:
    """Read the arguments and run; used by the recipe of the image."""
    parser = argparse.ArgumentParser(
        prog="python -m eegwf.provenance.container_image",
        description=__doc__.splitlines()[0],
        epilog="example: python -m eegwf.provenance.container_image labels",
    )
    parser.add_argument(
        "what",
        choices=("labels", "test", "digest", "check"),
        help="print labels, test from inside, print SHA-256, or compare with the checkout",
    )
    parser.add_argument("image", nargs="?", type=Path, help="for digest and check: the image")
    arguments = parser.parse_args()
    if arguments.what == "labels":
        labels = {"eegwf.version": __version__, "eegwf.torch": metadata.version("torch"), **labels_of(ROOT)}
        print("\n".join(f"{name} {value}" for name, value in labels.items()))
    elif arguments.what == "digest":
        print(digest_of(arguments.image))
    elif arguments.what == "check":
        check_image(arguments.image)
    else:
        print(check_inside())


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
