"""Shell code before the command of every job, and the paths that a container must see."""

import os
import shlex
import sys
from pathlib import Path

from eegwf.config.data import LEAVE_ONE_OUT, FoldArrays, RecordedDataset
from eegwf.config.external import read_externals
from eegwf.config.study import Study
from eegwf.provenance.container_image import IMAGE, INSIDE, PYTHON, bind
from eegwf.provenance.git import ROOT, commit
from eegwf.storage.node_scratch import scratch_folder

# A container's home folder is the folder of the study, so the caches of libraries go to a temporary folder of the job.
# Downloaded weights are shared by all jobs.
CACHES = (
    # Where the scheduler's folder for temporary files is not visible inside, the image's own is used.
    '[ -w "${TMPDIR:-/tmp}" ] || export TMPDIR=/tmp TMP=/tmp TEMP=/tmp; '
    'caches=$(mktemp -d); trap \'rm -rf "$caches"\' EXIT; export HF_HOME="${HF_HOME:-$HOME/.cache/huggingface}"; '
    'export XDG_CACHE_HOME="$caches" XDG_CONFIG_HOME="$caches" MPLCONFIGDIR="$caches/matplotlib" '
    'NUMBA_CACHE_DIR="$caches/numba" TORCHINDUCTOR_CACHE_DIR="$caches/inductor" TRITON_CACHE_DIR="$caches/triton"'
)


def shell_prefix(python: Path | str, base: Path | str, containers: bool = False, **variables: str | None) -> str:
    """Bash code for Snakemake's `shell.prefix`: strict mode, `run_script NAME` and `log_to FILE`.

    The prefix is no part of the command, so that moving a checkout or an environment repeats no job.

    Parameters
    ----------
    python
        Python that runs the scripts.
    base
        Root of the checkout with the scripts.
    containers
        Whether jobs run in a container image.
    **variables
        Environment variables of the jobs; those that are None keep their value.

    Returns
    -------
    str
        With doubled braces, as Snakemake formats it.
    """
    # Isolated in a container: the image is complete, and PYTHONPATH of the host refers to packages outside it.
    call = f"{shlex.quote(str(python))}{' -I' * containers}"
    scripts = shlex.quote(f"{base}/workflow/scripts")
    run = f'run_script() {{ {call} {scripts}/"$1".py "${{@:2}}"; }}'
    # A scheduler signals all processes of a job; the process that writes the log must outlive the script.
    log = """log_to() { (trap '' TERM USR1; exec tee "$1"); }"""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items() if value is not None]
    parts = ["set -euo pipefail", *exports, *([CACHES] if containers else []), run, log]
    return f"{'; '.join(parts)}; ".replace("{", "{{").replace("}", "}}")


def image_of(study: Study) -> str:
    """Container image of a study's jobs; where possible a relative path, so that moving a checkout repeats no job."""
    image, folder = Path(study.cluster.image or ROOT / IMAGE).absolute(), Path.cwd()
    return str(image.relative_to(folder) if image.is_relative_to(folder) else image)


def job_shell_prefix(study: Study, containers: bool) -> str:
    """Shell prefix of a study's jobs; with containers, the paths that jobs read and write are bound.

    Parameters
    ----------
    study
        The configuration.
    containers
        Whether jobs run in a container image.

    Returns
    -------
    str
        Bash code, as `shell_prefix` returns it.
    """
    scratch = study.cluster.scratch
    if not containers:
        return shell_prefix(sys.executable, ROOT, EEGWF_SCRATCH=scratch)
    bind(bind_paths(study))
    # Determined by the process that submits: compute nodes may have no git, and an image is no checkout.
    code_commit = os.environ.get("EEGWF_COMMIT") or commit(ROOT) or ""
    return shell_prefix(PYTHON, INSIDE, containers=True, EEGWF_COMMIT=code_commit, EEGWF_SCRATCH=scratch)


def bind_paths(study: Study) -> list[Path]:
    """Folders that jobs read and write; a container sees only the folder in which Snakemake runs by itself."""
    dataset, folds, scratch = study.dataset, study.folds, study.cluster.scratch
    folders = [Path(study.results), Path(image_of(study)).parent, Path(image_of(study)).resolve().parent]
    if isinstance(dataset, RecordedDataset):
        folders.append(Path(dataset.root))
    if isinstance(dataset, FoldArrays):
        folders += list(dict.fromkeys(file.parent for file in dataset.files()))
    for external in (data.dataset for data in read_externals(study).values()):
        if isinstance(external, RecordedDataset):
            folders.append(Path(external.root))
    if isinstance(folds, str) and folds != LEAVE_ONE_OUT:
        folders.append(Path(folds).parent)
    if study.training.init:
        # The folder of a run is read with the data beside it.
        folders.append(Path(study.training.init).parent)
    if os.environ.get("HF_HOME"):
        folders.append(Path(os.environ["HF_HOME"]))
    # The folder on the disk of the node may not exist yet.
    if scratch and (place := scratch_folder(scratch)):
        folders.append(next(folder for folder in (place, *place.parents) if folder.is_dir()))
    return [folder for folder in folders if folder.absolute() != Path("/")]
