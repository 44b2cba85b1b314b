"""Pieces of the page: tables, and what the figures were measured on."""


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, its first column text, the others numbers."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def measured_on(machine: dict) -> str:
    """A sentence about the machine, the day, and the versions of the packages."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["versions"].items() if number)
    gpu = machine["gpu"] or "no GPU"
    return (
        f"Measured on {machine['date']}: {machine['processor']}, {machine['cores']} cores, {gpu}, Python "
        f"{machine['python']}, {packages}."
    )
