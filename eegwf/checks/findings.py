"""Findings of a check, and their text."""

from dataclasses import dataclass, field

from eegwf.errors import format_names

__all__ = ["Findings", "format_duration", "format_names"]


@dataclass
class Findings:
    """Lines of a check.

    Attributes
    ----------
    facts
        Data and settings that the study would use.
    warnings
        Settings with which the study runs, but possibly not as intended.
    problems
        Settings or data with which the study would fail; each line contains what to change.
    """

    facts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def lines(self, command: str) -> list[str]:
        """All lines in the order of printing; the last is the command to run, or the number of problems."""
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


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def format_duration(seconds: float) -> str:
    """Format a duration in seconds, minutes or hours, such as `12 s` or `2.0 min`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
