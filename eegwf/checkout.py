"""The commit of a checkout."""

import subprocess
from pathlib import Path


def commit(root: Path) -> str | None:
    """The checkout's commit, with `-dirty` behind it if tracked files were changed; None outside a checkout."""
    top = _git(root, "rev-parse", "--show-toplevel")
    head = _git(root, "rev-parse", "HEAD")
    if not top or not head or Path(top).resolve() != root.resolve():
        return None
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{head}-dirty" if changed else head


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
