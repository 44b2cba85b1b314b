"""Errors that users cause and can correct, and how a command-line script reports them."""

import gc
import sys
from collections.abc import Callable

from eegwf.progress import log_to_stderr


class InputError(Exception):
    """Wrong input: the message names the file, the place, what was found, what was expected and what to do.

    It is reported without a stack trace; any other exception is a defect of the software and shows one.
    """


def format_names(names: list[str], limit: int = 5) -> str:
    """List names, separated by commas.

    Parameters
    ----------
    names
        The names.
    limit
        Maximum number of names; the number of the others follows.

    Returns
    -------
    str
        For example, `a, b and 3 more`.
    """
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def run_script(main: Callable[[], None]) -> None:
    """Run a command-line script; wrong input ends it with one line on standard error.

    The exit code is 0 after success, 1 after wrong input or if the file system refuses (full, read-only), and that of
    the uncaught exception otherwise.
    """
    log_to_stderr()
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.filename is None and error.strerror is None:
            raise
        place = f"{error.filename}: " if error.filename is not None else ""
        sys.exit(f"error: {place}{error.strerror}; no partial files were left; fix the cause and rerun")
    finally:
        gc.freeze()  # Python collects garbage before it exits, which takes half a second after an import of torch
