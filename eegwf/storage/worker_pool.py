"""Pool of worker processes that end when their parent process ends."""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """Pool of new processes that end when their parent ends; otherwise they would outlive a job killed by SIGKILL.

    The processes are spawned, since a forked copy of a process that runs threads can deadlock.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "worker processes have a parent"
    parent.join()
    os._exit(1)
