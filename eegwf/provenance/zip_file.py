"""Zip files with checksums, whose bytes depend on their contents alone."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from eegwf.storage.files import replacing

SUMS = "SHA256SUMS"


def write_zip(output: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write a zip file, with a file of the checksums of all others.

    Parameters
    ----------
    output
        File to write.
    files
        Contents by name.

    Returns
    -------
    list of str
        Names of the packed files.
    """
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    packed = {**files, SUMS: sums.encode()}
    with replacing(output) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(packed.items()):
            # A fixed date, so that the same files result in the same bytes.
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content)
    return sorted(packed)
