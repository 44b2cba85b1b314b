"""What stands in front of every job's command."""

import os
import shlex
import sys
from pathlib import Path

from eegwf.config.data import LEAVE_ONE_OUT, Bids
from eegwf.config.study import Study
from eegwf.provenance.container_image import IMAGE, INSIDE, PYTHON, bind
from eegwf.provenance.git import ROOT, commit
from eegwf.storage.node_scratch import scratch_folder

ARRAY_FILES = ("data", "labels", "patients")

# What libraries keep for later: of one job in a container, whose home folder is the study's, and gone with it. Weights
# that were fetched are for all of them.
CACHES = (
    # Where a scheduler's folder for temporary files is not seen inside, the image's own is.
    '[ -w "${TMPDIR:-/tmp}" ] || export TMPDIR=/tmp TMP=/tmp TEMP=/tmp; '
    'caches=$(mktemp -d); trap \'rm -rf "$caches"\' EXIT; export HF_HOME="${HF_HOME:-$HOME/.cache/huggingface}"; '
    'export XDG_CACHE_HOME="$caches" XDG_CONFIG_HOME="$caches" MPLCONFIGDIR="$caches/matplotlib" '
    'NUMBA_CACHE_DIR="$caches/numba" TORCHINDUCTOR_CACHE_DIR="$caches/inductor" TRITON_CACHE_DIR="$caches/triton"'
)


def shell_prefix(python: Path | str, base: Path | str, containers: bool = False, **variables: str | None) -> str:
    """Bash for Snakemake's `shell.prefix`: strict, `run_script NAME` for the scripts of a checkout, and `log_to FILE`.

    It is no part of the command, so that moving a checkout or an environment repeats no job.

    Parameters
    ----------
    python
        Python that runs the scripts.
    base
        Root of the checkout that they are in.
    containers
        Whether jobs run in an image.
    **variables
        Environment of the jobs; those that are None are left as they are.
    """
    # Isolated: an image is complete, and what the host's PYTHONPATH names is not of it.
    call = f"{shlex.quote(str(python))}{' -I' * containers}"
    scripts = shlex.quote(f"{base}/workflow/scripts")
    run = f'run_script() {{ {call} {scripts}/"$1".py "${{@:2}}"; }}'
    # A scheduler signals all processes of a job: what writes the log must outlive the script's last words.
    log = """log_to() { (trap '' TERM USR1; exec tee "$1"); }"""
    told = [f"export {name}={shlex.quote(value)}" for name, value in variables.items() if value is not None]
    parts = ["set -euo pipefail", *told, *([CACHES] if containers else []), run, log]
    return f"{'; '.join(parts)}; ".replace("{", "{{").replace("}", "}}")


def image_of(study: Study) -> str:
    """The image that jobs run in; a relative path where it can be one, so that moving a checkout repeats no job."""
    image, here = Path(study.cluster.image or ROOT / IMAGE).absolute(), Path.cwd()
    return str(image.relative_to(here) if image.is_relative_to(here) else image)


def jobs_shell(study: Study, containers: bool) -> str:
    """The prefix of a study's jobs; in an image, what they must see of this machine is bound."""
    scratch = study.cluster.scratch
    if not containers:
        return shell_prefix(sys.executable, ROOT, EEGWF_SCRATCH=scratch)
    bind(outside(study))
    # Told by the process that submits: nodes may have no git, and the image is no checkout.
    made = os.environ.get("EEGWF_COMMIT") or commit(ROOT) or ""
    return shell_prefix(PYTHON, INSIDE, containers=True, EEGWF_COMMIT=made, EEGWF_SCRATCH=scratch)


def outside(study: Study) -> list[Path]:
    """Folders that jobs read and write; an image sees the folder in which Snakemake runs, and no other."""
    dataset, folds, scratch = study.dataset, study.folds, study.cluster.scratch
    found = [Path(study.results), Path(image_of(study)).parent, Path(image_of(study)).resolve().parent]
    found += [Path(dataset.root)] if isinstance(dataset, Bids) else []
    if dataset.kind == "fold_arrays":
        found += [Path(getattr(files, name)).parent for files in dataset.arrays.values() for name in ARRAY_FILES]
    found += [Path(folds).parent] if isinstance(folds, str) and folds != LEAVE_ONE_OUT else []
    # Weights that are fetched, and the disk of a node, on which the folder may not be made yet.
    found += [Path(os.environ["HF_HOME"])] if os.environ.get("HF_HOME") else []
    if scratch and (place := scratch_folder(scratch)):
        found += [next(folder for folder in (place, *place.parents) if folder.is_dir())]
    return [folder for folder in found if folder.absolute() != Path("/")]
