"""Child processes of the GPU benchmark."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol


class Start(Protocol):
    """Function that starts a module in a child process."""

    def __call__(self, module: str, options: list[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a module.

        Parameters
        ----------
        module
            Name of the module.
        options
            Its command-line options.
        log
            File to which its output is appended.

        Returns
        -------
        subprocess.Popen
            The process.
        """


@contextmanager
def child_processes() -> Iterator[Start]:
    """Start modules in child processes, and kill those that still run at the end of the context."""
    with ExitStack() as stack:
        processes: list[subprocess.Popen[bytes]] = []

        def start(module: str, options: list[str], log: Path) -> subprocess.Popen[bytes]:
            file = stack.enter_context(open(log, "ab"))
            command = [sys.executable, "-m", module, *options]
            processes.append(subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT))
            return processes[-1]

        try:
            yield start
        finally:
            for process in processes:
                if process.poll() is None:
                    process.kill()
                process.wait()


def tail(log: Path) -> str:
    """The last characters of a log."""
    return log.read_text(encoding="utf-8", errors="replace")[-400:]
