"""Versions of Python and of the packages that results depend on."""

import platform
from importlib import metadata

PACKAGES = (
    "snakemake",
    "torch",
    "torchvision",
    "timm",
    "optuna",
    "captum",
    "torcheval",
    "mne",
    "edfio",
    "timescoring",
    "scikit-learn",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
)


def versions() -> dict[str, str]:
    """Versions of Python and of the main installed packages."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
