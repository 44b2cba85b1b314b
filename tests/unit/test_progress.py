"""Progress lines."""

import logging

import pytest

from eegwf.progress import Progress


@pytest.fixture(autouse=True)
def info(caplog):
    caplog.set_level(logging.INFO, "eegwf")


def test_lines_have_the_share_done_and_the_remaining_time(caplog):
    progress = Progress("reading", 4, interval=0.0)
    progress.step("sub-01")
    progress.step("sub-02", steps=3)
    assert caplog.messages == ["reading: 25 % (sub-01), 0:00 left", "reading: 100 % (sub-02), 0:00 left"]


@pytest.mark.parametrize(("interval", "lines"), [(3600.0, ["reading: 100 %, 0:00 left"]), (float("inf"), [])])
def test_lines_are_an_interval_apart_except_the_last(caplog, interval, lines):
    progress = Progress("reading", 1000, interval)
    for _ in range(1000):
        progress.step()
    assert caplog.messages == lines


def test_skipped_steps_do_not_enter_the_speed(caplog):
    progress = Progress("reading", 100)
    progress.skip(98)
    progress.log()
    progress._start -= 70.0  # the step that follows took 70 seconds
    progress.step()
    progress.log()
    assert caplog.messages == ["reading: 98 %", "reading: 99 %, 1:10 left"]
