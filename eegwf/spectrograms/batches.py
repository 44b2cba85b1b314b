"""Batches of windows whose spectrograms have the same bytes, whatever windows are transformed together."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

BATCH = {"cpu": 16, "cuda": 128}
"""Windows transformed together. Sums in matrix products and FFTs can differ in the last bit with the number of windows.
On the CPU all batches therefore have this number, the last one padded with zeros, so that the bytes of the result
depend on the windows alone."""


@contextmanager
def single_thread_pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Pool of workers in which torch computes with one thread, since the last bits depend on the number of threads.

    Parameters
    ----------
    threads
        Number of workers.

    Yields
    ------
    ThreadPoolExecutor
        The pool. In this thread, torch computes with one thread too until the end of the context.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(before)
