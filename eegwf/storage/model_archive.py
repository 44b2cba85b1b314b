"""Files of final models in a bundle, which comes from elsewhere and is not trusted."""

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from eegwf.errors import InputError

FOLDER = "final"
# Bytes of all files of a bundle after decompression: more are no weights of a model.
MAX_BYTES = 1 << 35
SUFFIXES = (".json", ".npy", ".safetensors", ".tsv")
# What reading a damaged or encrypted zip file raises.
DAMAGED = (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error)


def model_entries(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Select the files of the final models; other files, and names that lead elsewhere, are left out.

    Parameters
    ----------
    path
        The bundle, for messages.
    archive
        The opened bundle.

    Returns
    -------
    list of ZipInfo
        Files of known types below `final/`.

    Raises
    ------
    InputError
        If it has no final models, or files that are larger than those of any model.
    """
    entries = [entry for entry in archive.infolist() if _is_model_file(entry.filename)]
    if f"{FOLDER}/models.json" not in {entry.filename for entry in entries}:
        raise InputError(f"{path}: no {FOLDER}/models.json in it; make the bundle with `eegwf bundle RUN --weights`")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise InputError(f"{path}: its files are larger than {MAX_BYTES >> 30} GB, which no bundle is")
    return entries


def _is_model_file(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return parts[:1] == (FOLDER,) and ".." not in parts and "\\" not in name and name.endswith(SUFFIXES)
