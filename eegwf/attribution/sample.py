"""Windows that are explained, background windows of training patients, and example windows."""

from dataclasses import dataclass

import numpy as np

from eegwf.data.splits import WindowSet

HIT, MISS, FALSE_ALARM, BORDERLINE = "hit", "miss", "false alarm", "borderline"


def choose_windows(window_set: WindowSet, most: int, seed: int) -> WindowSet:
    """Select windows of each class, at random without replacement if there are more than the maximum.

    Parameters
    ----------
    window_set
        Windows to select from.
    most
        Maximum number of windows of a class.
    seed
        Random seed of the selection.

    Returns
    -------
    WindowSet
        The selected windows, in the order of `window_set`.
    """
    chosen = np.zeros(len(window_set.window), dtype=bool)
    for number in range(len(window_set.classes)):
        rng = np.random.default_rng([seed, number])
        inside = np.flatnonzero(window_set.label == number)
        chosen[inside if len(inside) <= most else rng.choice(inside, most, replace=False)] = True
    return window_set.select(chosen)


def choose_backgrounds(train: WindowSet, number: int, seed: int) -> WindowSet:
    """Select background windows, of as many patients as possible.

    Parameters
    ----------
    train
        Windows of the training patients; the first class is the background.
    number
        Number of windows; fewer are returned if the patients have fewer.
    seed
        Random seed of the selection.

    Returns
    -------
    WindowSet
        The windows, in the order of the rows.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(np.flatnonzero(train.label == 0))
    # How many windows of the same patient come before each.
    earlier = np.zeros(len(order), dtype=int)
    seen: dict[str, int] = {}
    for index, patient in enumerate(train.patient[order]):
        earlier[index] = seen.get(patient, 0)
        seen[patient] = earlier[index] + 1
    chosen = np.zeros(len(train.window), dtype=bool)
    chosen[order[np.argsort(earlier, kind="stable")[:number]]] = True
    return train.select(chosen)


@dataclass(frozen=True)
class Example:
    """A window whose map is drawn on its own.

    Attributes
    ----------
    kind
        `hit`, `miss`, `false alarm` or `borderline`.
    index
        Number of the window among the explained ones.
    """

    kind: str
    index: int


def choose_examples(label: np.ndarray, p: np.ndarray) -> list[Example]:
    """Select the windows that a reader wants to look at.

    Parameters
    ----------
    label
        Class of each window, `(n,)`; 0 is the background.
    p
        Probabilities of the classes, `(n, n_classes)`.

    Returns
    -------
    list of Example
        The most confident hit of each seizure class, the most confident miss (a seizure predicted as background) and
        false alarm, and the borderline window, whose two largest probabilities are closest to each other. What does
        not exist is left out; no window occurs twice.
    """
    predicted = p.argmax(axis=1)
    confidence = p.max(axis=1)
    highest = np.sort(p, axis=1)
    margin = highest[:, -1] - highest[:, -2]
    examples: list[Example] = []
    candidates = [
        *((HIT, (label == number) & (predicted == number), confidence) for number in range(1, p.shape[1])),
        (MISS, (label > 0) & (predicted == 0), confidence),
        (FALSE_ALARM, (label == 0) & (predicted > 0), confidence),
        (BORDERLINE, np.ones(len(label), dtype=bool), -margin),
    ]
    for kind, mask, order in candidates:
        mask = mask.copy()
        mask[[example.index for example in examples]] = False
        if mask.any():
            examples.append(Example(kind, int(np.where(mask, order, -np.inf).argmax())))
    return examples
