"""Figures of the training history of each outer fold."""

from matplotlib.ticker import MaxNLocator

from eegwf.report.data import Fold
from eegwf.report.drawing import ACCENT, INK, SERIES, Figure, drawing
from eegwf.report.formats import count, defined, score

WIDTH = 2.15


def training_figure(fold: Fold) -> Figure | None:
    """Draw losses and validation score by epoch: rank 1 with thick lines, the best epochs marked."""
    ranks = {number: rank for number, rank in fold.ranks.items() if len(rank.history)}
    if not ranks:
        return None
    first = min(ranks)
    with drawing(WIDTH, 3.3, rows=2, sharex=True) as figure:
        losses, accuracies = figure.rows
        for number in sorted(ranks, reverse=True):
            history, model = ranks[number].history, ranks[number].model
            epoch = history["epoch"].to_numpy()
            thick = number == first
            width, alpha = (1.8, 1.0) if thick else (0.7, 0.55)
            for axes, column, color, style, label in (
                (losses, "train_loss", INK, "-", "training"),
                (losses, "validation_loss", SERIES[1], "--", "validation"),
                (accuracies, "balanced_accuracy", ACCENT, "-", ""),
            ):
                if column not in history:
                    continue
                values = history[column].to_numpy(dtype=float)
                named = label if thick and label else None
                axes.plot(epoch, values, style, color=color, linewidth=width, alpha=alpha, label=named)
                best = epoch == model.get("best_epoch")
                if axes is accuracies and best.any():
                    axes.plot(epoch[best], values[best], "D", color=color, alpha=alpha, markersize=6 if thick else 3.5)
        losses.set_ylabel("loss")
        losses.set_ylim(bottom=0)
        figure.canvas.legend(loc="outside upper center", ncols=2, handlelength=1.4, columnspacing=1, handletextpad=0.4)
        accuracies.set(xlabel="epoch", ylabel="validation\nbalanced acc.", ylim=(0, 1.02))
        longest = max(len(rank.history) for rank in ranks.values())
        accuracies.set_xlim(0.5 if longest < 4 else 1 - 0.03 * longest, longest + max(0.03 * longest, 0.25))
        accuracies.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        for axes in figure.rows:
            axes.grid(True, axis="y")
        return figure.finish(f"train-{fold.number}", _training_alt(fold, first), f"Fold {fold.number}")


def _training_alt(fold: Fold, first: int) -> str:
    history, model = fold.ranks[first].history, fold.ranks[first].model
    parts = [f"Training of fold {fold.number}, rank {first}, {count(len(history), 'epoch')}"]
    if "train_loss" in history:
        start, end = history["train_loss"].iloc[0], history["train_loss"].iloc[-1]
        parts.append(f"training loss from {start:.3g} to {end:.3g}")
    if "validation_loss" in history:
        parts.append(f"lowest validation loss {history['validation_loss'].min():.3g}")
    if defined(model.get("validation_value")):
        parts.append(f"best epoch {model.get('best_epoch')} with validation value {score(model['validation_value'])}")
    return "; ".join(parts) + "."
