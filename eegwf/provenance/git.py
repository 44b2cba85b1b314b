"""Checkout of this library, and its commit."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Git writes the commit into this file when it exports an archive.
ARCHIVED = ".git_archival.txt"
COMMIT = re.compile(r"[0-9a-f]{40}")


def commit(root: Path) -> str | None:
    """Commit of a checkout, with the suffix `-dirty` if tracked files were changed; None if it is unknown.

    For an archive, which is no checkout, it is the commit that the archive names.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    head = _git(root, "rev-parse", "HEAD")
    if not top or not head or Path(top).resolve() != root.resolve():
        archived = (root / ARCHIVED).read_text().strip() if (root / ARCHIVED).is_file() else ""
        return archived if COMMIT.fullmatch(archived) else None
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{head}-dirty" if changed else head


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
