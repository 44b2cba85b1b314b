"""Pack a finished combination into one file that others can check and repeat."""

import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from eegwf.config.paths import ResultPaths, RunPaths
from eegwf.errors import InputError
from eegwf.provenance.git import ROOT, commit
from eegwf.provenance.ro_crate import METADATA, ro_crate
from eegwf.provenance.zip_file import write_zip
from eegwf.storage.files import read_json

WEIGHTS = ".safetensors"
README = """\
# {name}

A run of eegwf {commit}: its results, its configuration (results/{name}/run.json), and the code of {code} with the lock
file of its environment. The recordings are not included. ro-crate-metadata.json describes the files (RO-Crate 1.1).

Check the files:

    sha256sum --check SHA256SUMS

Run it again, with Python 3.11 or newer, and compare:

    cd code && make .venv/.installed
    .venv/bin/eegwf reproduce ../results/{name} --output-dir again -- --cores all

If the recordings are in another folder now, add `--config data_root=FOLDER`.
"""


def bundle(run: Path, output: Path, force: bool = False) -> list[str]:
    """Pack a finished combination, without weights, into a zip file; the same run results in the same bytes.

    Parameters
    ----------
    run
        Folder of the combination, inside its results folder.
    output
        File to write.
    force
        Pack the code of this checkout even if another commit made the run.

    Returns
    -------
    list of str
        Names of the packed files.

    Raises
    ------
    InputError
        If the run has not finished, or its code is not available.
    """
    paths = RunPaths(run)
    missing = [path.name for path in (paths.run_record, paths.metrics, paths.predictions) if not path.is_file()]
    if missing:
        raise InputError(f"{run}: no {missing[0]}; give the folder of a finished combination")
    record = read_json(paths.run_record)
    files = _code(record, force)
    for path in sorted(run.rglob("*")):
        if path.is_file() and path.suffix != WEIGHTS:
            files[f"results/{run.name}/{path.relative_to(run).as_posix()}"] = path.read_bytes()
    data = ResultPaths(run.parent).data
    for path in (data.recordings, data.windows, data.folds, data.events, data.leakage):
        if path.is_file():
            files[f"results/data/{path.name}"] = path.read_bytes()
    files["README.md"] = README.format(name=run.name, commit=record["commit"], code=commit(ROOT)).encode()
    files[METADATA] = ro_crate(run.name, record, files)
    return write_zip(output, files)


def _code(record: dict[str, Any], force: bool) -> dict[str, bytes]:
    """Files of the commit that made a run, under `code/`."""
    here, published = commit(ROOT), record["commit"]
    if here is None or not (ROOT / ".git").exists():
        raise InputError(f"{ROOT}: not a git checkout, so the code can't be packed")
    if published != here and not force:
        raise InputError(
            f"the run is of commit {published or 'unknown'}, this checkout is at {here}; check out that of the run"
        )
    if here.endswith("-dirty") and not force:
        raise InputError(
            f"{ROOT}: tracked files have uncommitted changes, which would be missing; commit them and run again"
        )
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", "HEAD"]
    packed = subprocess.run(command, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        contents = {member.name: archive.extractfile(member) for member in members}
        return {f"code/{name}": file.read() for name, file in contents.items() if file is not None}
