"""A run as one file that others can check and repeat: results, configuration, code and lock."""

import hashlib
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from eegwf.errors import InputError
from eegwf.provenance.git import ROOT, commit
from eegwf.storage.files import read_json, replacing

WEIGHTS = ".safetensors"
# Of the data: what is needed to check scores, and no signals.
TABLES = ("recordings.tsv", "windows.tsv", "folds.tsv", "events.tsv", "leakage.json")
README = """\
# {name}

A run of eegwf {commit}: its results, its configuration (results/{name}/run.json), and the code of {code} with the lock
of its environment. The recordings are not in it.

Check that it is whole:

    sha256sum --check SHA256SUMS

Run it again, with Python 3.11 or newer, and compare:

    cd code && make .venv/.installed
    .venv/bin/eegwf reproduce ../results/{name} --into again -- --cores all

Where the recordings lie elsewhere than they did, add `--config data_root=FOLDER`.
"""


def bundle(run: Path, output: Path, weights: bool = False, anyway: bool = False) -> list[str]:
    """Pack a finished combination into a zip file; the same run gives the same bytes.

    Parameters
    ----------
    run
        Folder of the combination, in its results folder.
    output
        The file.
    weights
        Whether the models' weights go along.
    anyway
        Pack this checkout's code even if the run was made by another commit.

    Returns
    -------
    list of str
        Names of the packed files.

    Raises
    ------
    InputError
        If the run has not ended, or its code is not at hand.
    """
    missing = [name for name in ("run.json", "metrics.json", "predictions.tsv") if not (run / name).is_file()]
    if missing:
        raise InputError(f"{run}: no {missing[0]}; give the folder of a finished combination")
    about = read_json(run / "run.json")
    files = _code(about, anyway)
    for path in sorted(run.rglob("*")):
        if path.is_file() and (weights or path.suffix != WEIGHTS):
            files[f"results/{run.name}/{path.relative_to(run).as_posix()}"] = path.read_bytes()
    for name in TABLES:
        path = run.parent / "data" / name
        if path.is_file():
            files[f"results/data/{name}"] = path.read_bytes()
    files["README.md"] = README.format(name=run.name, commit=about["commit"], code=commit(ROOT)).encode()
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    files["SHA256SUMS"] = sums.encode()
    with replacing(output) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            # A fixed date, so that the same run gives the same bytes.
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content)
    return sorted(files)


def _code(about: dict[str, Any], anyway: bool) -> dict[str, bytes]:
    """Files of the commit that made a run, under `code/`."""
    here, made = commit(ROOT), about["commit"]
    if here is None or not (ROOT / ".git").exists():
        raise InputError(f"{ROOT}: no git checkout, so the code can't be packed")
    if made != here and not anyway:
        raise InputError(f"the run is of commit {made or 'unknown'}, and this checkout is at {here}; check that out")
    if here.endswith("-dirty") and not anyway:
        raise InputError(f"{ROOT}: tracked files are changed, and would not be in it; commit them and run again")
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", "HEAD"]
    packed = subprocess.run(command, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        return {f"code/{member.name}": archive.extractfile(member).read() for member in members}
