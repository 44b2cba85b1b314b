"""Evidence on attribution maps with given values."""

import pandas as pd

COLUMNS = ["method", "measure", "target", "patient", "n_windows", "value"]


def evidence(measure: str, target: str = "sz", n_windows: int = 5, **values) -> pd.DataFrame:
    """Evidence with one value for each patient: `saliency=[...]`."""
    rows = [
        (method, measure, target, f"sub-{number:02d}", n_windows, value)
        for method, given in values.items()
        for number, value in enumerate(given)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
