"""The image of this checkout, built by its recipe."""

import os
import shutil
import subprocess
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


def missing() -> list[str]:
    """What hinders an image."""
    return [] if shutil.which("apptainer") else ["apptainer"]


def build() -> Path:
    """Build the image if there is none of this checkout."""
    recipe = [ROOT / "containers" / name for name in ("eegwf.def", "install.sh")]
    with suppress(InputError):
        check_image(IMAGE)
        if all(IMAGE.stat().st_mtime > path.stat().st_mtime for path in recipe):
            return IMAGE
    options = ["--mksquashfs-args '-comp zstd -Xcompression-level 1'"]
    options += ["--fakeroot"] if os.getuid() == 0 else []
    options += [f"--build-arg BOOTSTRAP=localimage --build-arg BASE={BASE}"] if BASE.is_dir() else []
    command = ["make", "image", f"IMAGE_OPTIONS={' '.join(options)}"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-5000:]
    return IMAGE
