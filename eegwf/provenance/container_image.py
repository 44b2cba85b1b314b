"""The image that jobs run in: what it is made of, and whether that is what the checkout has.

An image says in its labels which library and which lock it holds. Both are compared by content: an image with another
library would compute something else than the digests in the rules say, and nobody would notice.
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

# Where an image has its checkout, and its own labels.
INSIDE = Path("/opt/eegwf")
LABELS = Path("/.singularity.d/labels.json")
PYTHON = INSIDE / "venv/bin/python"
LOCK = "envs/eegwf.txt"
# Where `make image` puts it.
IMAGE = "containers/eegwf.sif"
KINDS = (".py", ".html", ".css", ".json")
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
    """Digest of the library and the scripts of a checkout: 16 hexadecimal digits, by name and content of every file."""
    found = [path for folder in ("eegwf", "workflow/scripts") for path in (root / folder).rglob("*")]
    names = sorted(path.relative_to(root).as_posix() for path in found if path.suffix in KINDS)
    whole = hashlib.sha256()
    for name in names:
        whole.update(f"{name} {digest_file(root / name)}\n".encode())
    return whole.hexdigest()[:16]


def labels_of(root: Path) -> dict[str, str]:
    """What an image made of a checkout says of itself: digests of code and lock, by the names of its labels."""
    return {"eegwf.code": code_of(root), "eegwf.lock": digest_file(root / LOCK)}


def read_labels(image: Path) -> dict[str, str]:
    """Labels of an image.

    Raises
    ------
    InputError
        If there is no image, or none that Apptainer can read.
    """
    if not image.exists():
        raise InputError(
            f"{image}: there is no image; build one with `make image` (or run without: --sdm env-modules in place of "
            "apptainer)"
        )
    try:
        done = subprocess.run(
            ["apptainer", "inspect", "--json", str(image)], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)["data"]["attributes"]["labels"]
    except FileNotFoundError:
        raise InputError(f"{image}: apptainer is not here; load its module, or ask for a node that has it") from None
    except (subprocess.CalledProcessError, ValueError, LookupError) as error:
        told = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise InputError(f"{image}: not an image that Apptainer can read ({told[-1] if told else error})") from None


def check_image(image: Path, root: Path = ROOT) -> None:
    """Refuse an image that was made of another library, or of another lock, than the checkout holds.

    Raises
    ------
    InputError
        Saying what differs.
    """
    found = read_labels(image)
    for name, wanted in labels_of(root).items():
        if found.get(name) != wanted:
            what = {"eegwf.code": "library", "eegwf.lock": f"lock ({LOCK})"}[name]
            raise InputError(
                f"{image}: its {what} is {found.get(name, 'not named')}, and this checkout's is {wanted}; build it "
                "again with `make image`, or check out what it was made of"
            )


def digest_of(image: Path) -> str:
    """SHA-256 of an image, kept in a file beside it since images are big."""
    kept = image.with_name(f"{image.name}.sha256")
    # The file has the time of the image that it is of: any other image has another, an older one too.
    time = image.stat().st_mtime_ns
    if kept.exists() and kept.stat().st_mtime_ns == time:
        return kept.read_text().split()[0]
    with open(image, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    with suppress(OSError):  # of a folder that is not ours
        write_text(kept, f"{found}  {image.name}\n")
        os.utime(kept, ns=(time, time))
    return found


def bind(folders: Iterable[Path]) -> None:
    """Have Apptainer show these folders to what it starts from here on, besides those it was already asked to.

    A link is shown with what it leads to. What the process that submitted a job saw and this node lacks is let go,
    since Apptainer would refuse to start.
    """
    asked = [entry for entry in os.environ.get("APPTAINER_BIND", "").split(",") if entry]
    wanted = [entry for entry in asked if Path(entry.partition(":")[0]).exists()]
    for folder in folders:
        if folder.is_dir():
            wanted += [str(folder.absolute()), str(folder.resolve())]
    os.environ["APPTAINER_BIND"] = ",".join(dict.fromkeys(wanted))


def this_image() -> str | None:
    """SHA-256 of the image that this process runs in; None outside of one."""
    image = Path(os.environ.get("APPTAINER_CONTAINER", ""))
    return f"sha256:{digest_of(image)}" if LABELS.exists() and image.is_file() else None


def check_inside() -> str:
    """Check an image from inside: its labels, its packages, and that torch computes; returns a sentence.

    Raises
    ------
    InputError
        Naming what is wrong.
    """
    told = json.loads(LABELS.read_text())
    wrong = [name for name, value in labels_of(ROOT).items() if told.get(name) != value]
    if wrong:
        raise InputError(f"the image's labels say something else than its files: {', '.join(wrong)}")
    for name in NEEDED:
        importlib.import_module(name)
    torch = importlib.import_module("torch")
    if torch.nn.Linear(3, 2)(torch.ones(4, 3)).shape != (4, 2):
        raise InputError("torch computes nonsense")
    return f"eegwf {__version__}, torch {torch.__version__}, {len(NEEDED) + 1} packages imported from {sys.prefix}"


def main() -> None:
    """Command line, for the image's recipe."""
    parser = argparse.ArgumentParser(
        prog="python -m eegwf.provenance.container_image",
        description=__doc__.splitlines()[0],
        epilog="example: python -m eegwf.provenance.container_image labels",
    )
    parser.add_argument("what", choices=("labels", "test", "digest"), help="print labels, test from inside, or SHA-256")
    parser.add_argument("image", nargs="?", type=Path, help="for digest: the image")
    arguments = parser.parse_args()
    if arguments.what == "labels":
        made = {"eegwf.version": __version__, "eegwf.torch": metadata.version("torch"), **labels_of(ROOT)}
        print("\n".join(f"{name} {value}" for name, value in made.items()))
    elif arguments.what == "digest":
        print(digest_of(arguments.image))
    else:
        print(check_inside())


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
