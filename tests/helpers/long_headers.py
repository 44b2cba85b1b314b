"""Recordings of their original length from files that were cut: zeros that take no space on the disk follow."""

import os
import shutil
from pathlib import Path


def lengthen(path: Path, seconds: int) -> None:
    """Declare a number of seconds in the header of an EDF file, and extend the file by a hole."""
    content = path.read_bytes()
    n_signals, begin = int(content[252:256]), int(content[184:192])
    length = float(content[244:252])
    n_records = round(seconds / length)
    samples = [int(content[256 + 216 * n_signals + 8 * index :][:8]) for index in range(n_signals)]
    with open(path, "r+b") as file:
        file.seek(236)
        file.write(str(n_records).encode().ljust(8))
    os.truncate(path, begin + n_records * 2 * sum(samples))


def copy_tree(source: Path, target: Path) -> Path:
    """Copy a folder whose files may be read-only, to one that can be changed."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target
