"""Remove the lock that a killed Snakemake left, unless a Snakemake process still runs in this folder.

Example: python -m eegwf.dag.unlock --configfile config/datasets/helsinki.yaml

Snakemake's lock files don't name the process that created them, so this command searches the processes of this machine
for a Snakemake in the same folder. It can't see processes of other machines that share the folder: there, call
`snakemake --unlock` yourself.
"""

import os
import subprocess
import sys
from pathlib import Path


def running_snakemake(folder: Path) -> int | None:
    """Process number of a Snakemake that runs in a folder; None if there is none."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            same_folder = (process / "cwd").resolve() == folder.resolve()
        except OSError:
            continue  # the process has ended, or belongs to another user
        is_snakemake = any(Path(os.fsdecode(word)).name == "snakemake" for word in arguments[:3])
        if same_folder and is_snakemake and int(process.name) != os.getpid():
            return int(process.name)
    return None


def main() -> None:
    """Unlock the current folder if it is locked and no Snakemake runs in it."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    locks = Path(".snakemake/locks")
    if not locks.is_dir() or not any(locks.iterdir()):
        return
    if not Path("/proc/self").exists():
        sys.exit("error: the folder is locked; if no Snakemake runs in it, call snakemake --unlock and run again")
    process = running_snakemake(Path())
    if process is not None:
        sys.exit(f"error: Snakemake (process {process}) runs in {Path().resolve()}; wait for it, or stop it first")
    print("an earlier run was killed and left its lock; unlocking", file=sys.stderr)
    done = subprocess.run([sys.executable, "-m", "snakemake", "--unlock", *sys.argv[1:]], check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
