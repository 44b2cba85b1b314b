"""Figures of tuning and of training, one of each for every outer fold."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from eegwf.report.collect import Fold
from eegwf.report.drawing import ACCENT, ALARM, INK, SERIES, Figure, drawing
from eegwf.report.formats import count, defined, score

WIDTH = 2.15


def tuning_figure(fold: Fold, monitor: str) -> Figure | None:
    """Value of every trial, the best so far, and where trials were pruned or failed."""
    trials = fold.trials
    if trials.empty:
        return None
    number, value = trials["trial"].to_numpy(dtype=float), trials["value"].to_numpy(dtype=float)
    state = trials["state"].to_numpy()
    done = (state == "complete") & ~np.isnan(value)
    with drawing(WIDTH, 2.0) as figure:
        axes = figure.axes
        axes.plot(number[done], value[done], "o", color=INK, markersize=4, alpha=0.65, label="trial")
        if done.any():
            best = np.maximum.accumulate(value[done])
            axes.step(np.append(number[done], number.max()), np.append(best, best[-1]), where="post", color=ACCENT)
        for which, marker, colour in (("pruned", "|", INK), ("fail", "x", ALARM)):
            at = number[state == which]
            axes.plot(
                at, np.full(len(at), 0.03), marker, color=colour, transform=axes.get_xaxis_transform(), markersize=6
            )
        axes.set(xlabel="trial number", ylabel=monitor.replace("_", " "))
        axes.set_xlim(-0.5, number.max() + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.grid(True, axis="y")
        best = ""
        if done.any():
            best = f"; best {score(value[done].max())} in trial {int(number[done][value[done].argmax()])}"
        alt = (
            f"Tuning of fold {fold.number}: {count(len(trials), 'trial')}, {int(done.sum())} complete, "
            f"{int((state == 'pruned').sum())} pruned, {int((state == 'fail').sum())} failed{best}."
        )
        return figure.finish(f"tune-{fold.number}", alt, f"Fold {fold.number}")


def training_figure(fold: Fold) -> Figure | None:
    """Losses and validation score by epoch: rank 1 in full, the other ranks thin, chosen epochs marked."""
    ranks = {rank: one for rank, one in fold.ranks.items() if len(one.history)}
    if not ranks:
        return None
    first = min(ranks)
    with drawing(WIDTH, 3.3, rows=2, sharex=True) as figure:
        losses, accuracies = figure.axes
        for rank in sorted(ranks, reverse=True):
            history, model = ranks[rank].history, ranks[rank].model
            epoch = history["epoch"].to_numpy()
            thick = rank == first
            width, alpha = (1.8, 1.0) if thick else (0.7, 0.55)
            for axes, column, colour, style, label in (
                (losses, "train_loss", INK, "-", "training"),
                (losses, "validation_loss", SERIES[1], "--", "validation"),
                (accuracies, "balanced_accuracy", ACCENT, "-", ""),
            ):
                if column not in history:
                    continue
                values = history[column].to_numpy(dtype=float)
                named = label if thick and label else None
                axes.plot(epoch, values, style, color=colour, linewidth=width, alpha=alpha, label=named)
                chosen = epoch == model.get("best_epoch")
                if axes is accuracies and chosen.any():
                    axes.plot(
                        epoch[chosen], values[chosen], "D", color=colour, alpha=alpha, markersize=6 if thick else 3.5
                    )
        losses.set_ylabel("loss")
        losses.set_ylim(bottom=0)
        figure.canvas.legend(loc="outside upper center", ncols=2, handlelength=1.4, columnspacing=1, handletextpad=0.4)
        accuracies.set(xlabel="epoch", ylabel="validation\nbalanced acc.", ylim=(0, 1.02))
        longest = max(len(one.history) for one in ranks.values())
        accuracies.set_xlim(0.5 if longest < 4 else 1 - 0.03 * longest, longest + max(0.03 * longest, 0.25))
        accuracies.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        for axes in figure.axes:
            axes.grid(True, axis="y")
        return figure.finish(f"train-{fold.number}", _training_alt(fold, first), f"Fold {fold.number}")


def _training_alt(fold: Fold, first: int) -> str:
    history, model = fold.ranks[first].history, fold.ranks[first].model
    told = [f"Training of fold {fold.number}, rank {first}, {count(len(history), 'epoch')}"]
    if "train_loss" in history:
        start, end = history["train_loss"].iloc[0], history["train_loss"].iloc[-1]
        told.append(f"training loss from {start:.3g} to {end:.3g}")
    if "validation_loss" in history:
        told.append(f"lowest validation loss {history['validation_loss'].min():.3g}")
    if defined(model.get("validation_value")):
        told.append(f"chosen epoch {model.get('best_epoch')} with validation value {score(model['validation_value'])}")
    return "; ".join(told) + "."
