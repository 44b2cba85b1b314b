"""What stands in front of every job's command."""

import shlex
from pathlib import Path


def shell_prefix(python: str, base: Path | str) -> str:
    """Bash for Snakemake's `shell.prefix`: strict, `run_script NAME` for the scripts of a checkout, and `log_to FILE`.

    It is no part of the command, so that moving a checkout or an environment repeats no job.

    Parameters
    ----------
    python
        Python that runs the scripts.
    base
        Root of the checkout.
    """
    scripts = shlex.quote(f"{base}/workflow/scripts")
    run = f'run_script() {{ {shlex.quote(python)} {scripts}/"$1".py "${{@:2}}"; }}'
    # A scheduler signals all processes of a job: what writes the log must outlive the script's last words.
    log = """log_to() { (trap '' TERM USR1; exec tee "$1"); }"""
    return f"set -euo pipefail; {run}; {log}; ".replace("{", "{{").replace("}", "}}")
