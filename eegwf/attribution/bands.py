"""Clinical frequency bands, in which attribution maps are averaged. It imports without torch."""

import numpy as np

# Hz; after Nuwer et al. 1999, with the sub-bands of beta and gamma merged. The first and the last band are open, so
# that every row of a spectrogram belongs to a band.
BANDS = {
    "delta": (0.0, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 13.0),
    "beta": (13.0, 30.0),
    "gamma": (30.0, np.inf),
}
BROADBAND = "broadband"
"""Name of the only band of a time series."""
