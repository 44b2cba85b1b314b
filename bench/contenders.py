"""Names of the compared programs, as they are written to benchmarks.json and to the page."""

SPECTROGRAMS = ("stft", "mel", "cwt")
RIVALS = {
    "stft": ["SciPy ShortTimeFFT"],
    "mel": ["librosa melspectrogram"],
    "cwt": [
        "PyWavelets, float32",
        "PyWavelets, float64",
        "PyWavelets, float64, one call per channel",
        "ssqueezepy",
        "fCWT",
    ],
}
"""Other libraries that compute the same spectrogram."""
EEGWF = "eegwf"
PATCH_LOOP, PATCH_LOOP_SAME_DROPOUT = "patch by patch", "patch by patch, attention not dropped"
DATA_LOADER = "data loader"
MATRIX_PRODUCT = "matrix product"
