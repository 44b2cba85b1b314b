"""Pool of worker processes that end when their parent process ends."""

import logging
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

logger = logging.getLogger(__name__)


class _ThisProcess(Executor):
    """Executor that calls each function when it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def worker_pool(workers: int) -> Executor:
    """Pool of new processes that end when their parent ends; otherwise they would outlive a job killed by SIGKILL.

    The processes are spawned, since a forked copy of a process that runs threads can deadlock. Where no semaphore can
    be made, since /dev/shm can't be written to, the work is done in this process.
    """
    context = multiprocessing.get_context("spawn")
    try:
        context.Lock()
    except OSError as error:
        logger.warning("warning: /dev/shm: %s, so one process does the work of %d", error.strerror, workers)
        return _ThisProcess()
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "worker processes have a parent"
    parent.join()
    os._exit(1)
