"""Tables of predictions, as they stand in `validation.tsv` and `test.tsv`."""

import pandas as pd
import torch

from eegwf.data.splits import Cohort


def predictions_table(cohort: Cohort, logits: torch.Tensor) -> pd.DataFrame:
    """A row for each window: where it comes from, its class, the predicted class, and p of each class.

    Parameters
    ----------
    cohort
        The windows predicted.
    logits
        `(n_windows, n_classes)`; p is their plain softmax, uncalibrated, rounded to the 9 significant digits that are
        written, so that `predicted` (the largest p, the first on a tie) follows from the table alone.
    """
    table = pd.DataFrame(
        {
            "window": cohort.window,
            "patient": cohort.patient,
            "recording": cohort.recording,
            "onset": cohort.onset,
            "fold": cohort.fold,
            "label": ["" if number < 0 else cohort.classes[number] for number in cohort.label],
        }
    )
    p = torch.softmax(logits.cpu().double().reshape(len(cohort.window), len(cohort.classes)), dim=1).numpy()
    rounded = pd.DataFrame(
        {f"p_{name}": [float(f"{value:.9g}") for value in p[:, number]] for number, name in enumerate(cohort.classes)}
    )
    best = rounded.to_numpy().argmax(axis=1) if len(rounded) else []
    table["predicted"] = [cohort.classes[number] for number in best]
    return pd.concat([table, rounded], axis=1)
