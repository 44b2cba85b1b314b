"""The one kind of error that users cause and users can mend."""

import sys
from collections.abc import Callable


class InputError(Exception):
    """Something given from outside is wrong: the message says what, where, and what to do.

    It is shown without a stack trace; every other exception is a bug of ours and shows one.
    """


def run_script(main: Callable[[], None]) -> None:
    """Run a command-line script; a user's mistake ends it with one line on standard error.

    Exit codes: 0 done, 1 wrong input or a file system that refuses (full, read-only), and
    whatever an uncaught exception of ours gives.
    """
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.filename is None and error.strerror is None:
            raise
        place = f"{error.filename}: " if error.filename is not None else ""
        sys.exit(f"error: {place}{error.strerror}; nothing was half-written, mend it and run again")
