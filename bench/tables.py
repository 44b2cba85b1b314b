"""Parts of the page: Markdown tables, and the description of the machine."""

from typing import Any


def table(header: list[str], rows: list[list[str]]) -> str:
    """Format a Markdown table; the first column is text, the others are numbers.

    Parameters
    ----------
    header
        Titles of the columns.
    rows
        Cells of each row.

    Returns
    -------
    str
        The table.
    """
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def measured_on(machine: dict[str, Any]) -> str:
    """Describe the machine, the date, and the versions of the packages in a sentence."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["versions"].items() if number)
    gpu = machine["gpu"] or "no GPU"
    cores = f"{machine['cores']} core{'' if machine['cores'] == 1 else 's'}"
    return (
        f"Measured on {machine['date']}: {machine['processor']}, {cores}, {gpu}, Python "
        f"{machine['python']}, {packages}."
    )
