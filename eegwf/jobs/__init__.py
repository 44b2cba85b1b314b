"""Jobs of the workflow: one module for each rule, of the rule's name, whose `run` does what the rule's script is called
for.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def fast_imports() -> Iterator[None]:
    """Import the module of a job without garbage collections, which would take a fifth of the time.

    What is imported is excluded from later collections, too.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
