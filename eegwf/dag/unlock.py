"""Take away the lock that a killed Snakemake left, unless one still runs in this folder.

Example: python -m eegwf.dag.unlock --configfile config/datasets/helsinki.yaml

Snakemake's lock files don't say who holds them, so this looks for a living Snakemake of this machine that works in the
same folder. On a folder shared between machines it can't see the others: there, use `snakemake --unlock` by hand.
"""

import os
import subprocess
import sys
from pathlib import Path


def living_snakemake(folder: Path) -> int | None:
    """Process number of a Snakemake that works in `folder`, if there is one."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            here = (process / "cwd").resolve() == folder.resolve()
        except OSError:
            continue  # ended meanwhile, or not ours
        runs = any(Path(os.fsdecode(word)).name == "snakemake" for word in arguments[:3])
        if here and runs and int(process.name) != os.getpid():
            return int(process.name)
    return None


def main() -> None:
    """Unlock the current folder if it is locked and nobody works in it."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    locks = Path(".snakemake/locks")
    if not locks.is_dir() or not any(locks.iterdir()):
        return
    if not Path("/proc/self").exists():
        sys.exit("error: the folder is locked; if no Snakemake works in it, call snakemake --unlock and run again")
    process = living_snakemake(Path())
    if process is not None:
        sys.exit(f"error: a Snakemake (process {process}) works in {Path().resolve()}; wait for it, or end it first")
    print("an earlier run was killed and left its lock; unlocking", file=sys.stderr)
    done = subprocess.run([sys.executable, "-m", "snakemake", "--unlock", *sys.argv[1:]], check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
