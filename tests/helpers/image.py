"""The image of this checkout, built by its recipe."""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from eegwf.errors import InputError
from eegwf.provenance.container_image import check_image
from tests.helpers.running import ROOT

IMAGE = ROOT / "containers/eegwf.sif"
# What install.sh leaves where images can't be had from a registry.
BASE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "eegwf-tests/base"
# Root of a machine that may not do all that root may starts containers as users do.
ARGUMENTS = ["--userns"] if os.getuid() == 0 else []
# Of `apptainer build`: little compression, since the images are used once.
OPTIONS = ["--mksquashfs-args '-comp zstd -Xcompression-level 1'", *(["--fakeroot"] if os.getuid() == 0 else [])]

# Packages are unpacked, packed again and compressed: 6 GB of packages, 3 GB of downloads and 3 GB of image.
DISK_GB = 16


def missing() -> list[str]:
    """What hinders an image."""
    absent = [] if shutil.which("apptainer") else ["apptainer"]
    free = shutil.disk_usage(os.environ.get("APPTAINER_TMPDIR") or tempfile.gettempdir()).free / 1e9
    if free < DISK_GB and not is_current():
        absent.append(f"disk space ({free:.0f} GB free, {DISK_GB} GB needed)")
    return absent


def is_current() -> bool:
    """Whether there is an image of this checkout."""
    recipe = [ROOT / "containers" / name for name in ("eegwf.def", "install.sh")]
    with suppress(InputError):
        check_image(IMAGE)
        return all(IMAGE.stat().st_mtime > path.stat().st_mtime for path in recipe)
    return False


def build() -> Path:
    """Build the image if there is none of this checkout."""
    if is_current():
        return IMAGE
    options = [*OPTIONS]
    options += [f"--build-arg BOOTSTRAP=localimage --build-arg BASE={BASE}"] if BASE.is_dir() else []
    _make("image", f"IMAGE_OPTIONS={' '.join(options)}")
    return IMAGE


def build_szcore(run: Path, output: Path) -> Path:
    """Build the image of a run's final models for SzCORE from that of this checkout."""
    _make("szcore-image", f"RUN={run}", f"SZCORE_IMAGE={output}", f"IMAGE_OPTIONS={' '.join(OPTIONS)}")
    return output


def _make(*arguments: str) -> None:
    done = subprocess.run(["make", *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-5000:]
