"""What a run says of its course: hours done as measured, hours left as predicted and corrected, and its end."""

import logging
from types import SimpleNamespace

import pytest

from eegwf.dag.run_progress import JobEstimate, RunProgress, estimate_jobs


@pytest.fixture
def course(tmp_path):
    """A run of four jobs of an hour as predicted, of which the first two take half an hour each, at the same time."""
    (tmp_path / "first.tsv").write_text("s\tmax_rss\n1800\t1\n")
    (tmp_path / "second.tsv").write_text("s\tmax_rss\n1800\t1\n")
    names = ("first", "second", "third", "fourth")
    shares = {n: JobEstimate(n % 2, 2, 3600.0, tmp_path / f"{name}.tsv") for n, name in enumerate(names)}
    now = SimpleNamespace(time=0.0)
    lines = []
    return RunProgress(shares, lines.append, lambda: now.time), now, lines


def end(course, number):
    record = logging.LogRecord("snakemake", logging.INFO, "", 0, "", (), None)
    record.event, record.job_id = "job_finished", number
    course.emit(record)


def test_what_is_left_is_corrected_by_what_was_measured(course):
    course, now, lines = course
    now.time = 1800.0
    end(course, 0)
    assert lines[0].startswith("Progress: 1 of 4 jobs done, 1.00 CPU-h; about 1.00 GPU-h and 3.00 CPU-h left")
    end(course, 1)
    assert len(lines) == 1  # the same minute
    # Two halves of an hour in half an hour: two at a time, and two halves left.
    line = course.line()
    assert "2 of 4 jobs done, 0.50 GPU-h and 2.00 CPU-h; about 0.50 GPU-h and 2.00 CPU-h left" in line
    from datetime import datetime

    assert line.endswith(f"expected end {datetime.fromtimestamp(3600):%Y-%m-%d %H:%M}")


def test_the_last_line_is_of_the_whole_and_unmeasured_jobs_count_as_predicted(course):
    course, now, lines = course
    for number in range(4):
        now.time += 10
        end(course, number)
    assert lines == ["Progress: 4 of 4 jobs done, 1.50 GPU-h and 6.00 CPU-h"]


def test_other_events_and_other_jobs_say_nothing(course):
    course, now, lines = course
    now.time = 1e6
    end(course, 99)
    course.emit(logging.LogRecord("snakemake", logging.INFO, "", 0, "text", (), None))
    assert lines == []


def test_shares_hold_what_jobs_hold():
    rule = SimpleNamespace(name="search")
    job = {"rule": rule, "wildcards_dict": {}, "benchmark": "b.tsv"}
    jobs = [
        SimpleNamespace(jobid=1, resources={"gpu": 1, "cpus_per_task": 3}, **job),
        SimpleNamespace(jobid=2, resources={"gres_gpus": 1}, **{**job, "benchmark": None}),
    ]
    found = estimate_jobs(jobs, lambda rule, wildcards: None)
    assert [(share.gpus, share.cpus, share.seconds) for share in found.values()] == [(1, 3, 0.0), (1, 1, 0.0)]
