"""Made-up scores with folds by patient and by window."""


def make_found(by_window=0.93, **changes):
    """Content of the file of a class set."""
    shared = {"patient": 0.0, "samples": 0.0, "adjacent": 0.0}
    entry = {"value": 0.71, "low": 0.6, "high": 0.8}
    return {
        "model": "bandpower",
        "arrays": ["mel"],
        "classes": ["background", "seizure"],
        "permuted": False,
        "interval": {"method": "jackknife", "confidence": 0.95},
        "reason": None,
        "n_folds": 5,
        "n_study_folds": 5,
        "n_windows": 1234,
        "n_patients": 28,
        "by_patient": {"balanced_accuracy": entry, "auroc": entry, "shared": shared},
        "by_window": {
            "balanced_accuracy": {"value": by_window},
            "auroc": {"value": 0.95},
            "shared": {"patient": 1.0, "samples": None, "adjacent": 0.9},
        },
    } | changes
