"""Tables of predictions, as in `validation.tsv` and `test.tsv`."""

import pandas as pd
import torch

from eegwf.data.splits import WindowSet


def predictions_table(window_set: WindowSet, logits: torch.Tensor) -> pd.DataFrame:
    """Make a table of predictions with a row for each window.

    Parameters
    ----------
    window_set
        Windows.
    logits
        Logits of the windows `(n_windows, n_classes)`.

    Returns
    -------
    DataFrame
        Columns `window`, `patient`, `recording`, `onset` (s), `fold`, `label` (empty for a borderline window),
        `predicted`, and `p_<class>`: the uncalibrated softmax, rounded to 9 significant digits. `predicted` is the
        class of the largest rounded p, the first one on a tie, so that it follows from the table.
    """
    table = pd.DataFrame(
        {
            "window": window_set.window,
            "patient": window_set.patient,
            "recording": window_set.recording,
            "onset": window_set.onset,
            "fold": window_set.fold,
            "label": ["" if number < 0 else window_set.classes[number] for number in window_set.label],
        }
    )
    p = torch.softmax(logits.cpu().double().reshape(len(window_set.window), len(window_set.classes)), dim=1).numpy()
    rounded = pd.DataFrame(
        {
            f"p_{name}": [float(f"{value:.9g}") for value in p[:, number]]
            for number, name in enumerate(window_set.classes)
        }
    )
    best = rounded.to_numpy().argmax(axis=1) if len(rounded) else []
    table["predicted"] = [window_set.classes[number] for number in best]
    return pd.concat([table, rounded], axis=1)
