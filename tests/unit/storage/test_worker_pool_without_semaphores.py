"""A pool of processes where /dev/shm can't be written to."""

import shutil
import subprocess
import sys

import pytest

SCRIPT = """
import logging, sys
from eegwf.storage.worker_pool import worker_pool
logging.basicConfig(stream=sys.stderr, format="%(message)s")
with worker_pool(2) as pool:
    print(list(pool.map(abs, [-1, -2, -3])), pool.submit(divmod, 7, 2).result())
    try:
        pool.submit(divmod, 7, 0).result()
    except ZeroDivisionError:
        print("the error of the function")
"""
MOUNT = 'mount -t tmpfs -o ro tmpfs /dev/shm && exec "$@"'


def test_the_work_is_done_in_this_process(root):
    unshare = shutil.which("unshare")
    command = [str(unshare), "--mount", "sh", "-c", MOUNT, "sh"]
    if not unshare or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system in a namespace of its own (unshare --mount)")
    result = subprocess.run([*command, sys.executable, "-c", SCRIPT], capture_output=True, text=True, cwd=root)
    assert result.stdout == "[1, 2, 3] (3, 1)\nthe error of the function\n"
    assert "/dev/shm: Read-only file system, so one process does the work of 2" in result.stderr
