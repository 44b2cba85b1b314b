"""What a check found, in plain words."""

from dataclasses import dataclass, field


@dataclass
class Findings:
    """Lines of a check: what is there, what will be worse than expected, and what will not run.

    Attributes
    ----------
    facts
        What the study would work on.
    warnings
        It runs, but not as one may think.
    problems
        It stops, or a class set can't be filled; each says what to do.
    """

    facts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def lines(self, command: str) -> list[str]:
        """All lines in the order to read them; the last is the command to run, or how many problems there are."""
        last = f"ready: {command}"
        if self.warnings:
            last = f"{_counted(len(self.warnings), 'warning')}; {last}"
        if self.problems:
            last = _counted(len(self.problems), "problem")
        return [
            *self.facts,
            *(f"warning: {line}" for line in self.warnings),
            *(f"problem: {line}" for line in self.problems),
            last,
        ]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def span(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def some(names: list[str], most: int = 5) -> str:
    """The first names of a list, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
