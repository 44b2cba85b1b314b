"""Progress lines."""

from eegwf.progress import Progress


def test_share_done_and_time_left(capsys):
    progress = Progress("reading", 4, every=0.0)
    progress.step("sub-01")
    progress.step("sub-02", steps=3)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["reading: 25 % (sub-01), 0:00 left", "reading: 100 % (sub-02), 0:00 left"]


def test_lines_come_seldom_but_for_the_last(capsys):
    for every, lines in ((3600.0, "reading: 100 %, 0:00 left\n"), (float("inf"), "")):
        progress = Progress("reading", 1000, every)
        for _ in range(1000):
            progress.step()
        assert capsys.readouterr().err == lines


def test_what_was_done_before_says_nothing_about_speed(capsys):
    progress = Progress("reading", 100)
    progress.skip(98)
    progress.say()
    progress._start -= 70.0  # the step that follows took 70 seconds
    progress.step()
    progress.say()
    assert capsys.readouterr().err == "reading: 98 %\nreading: 99 %, 1:10 left\n"
