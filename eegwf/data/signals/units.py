"""Units of voltage and sampling rates as headers spell them."""

import math
import re
import unicodedata

# Encodings in which programs wrote the micro sign or the Greek letter mu, and those in which headers are decoded here.
_WRITTEN = (
    "latin-1",
    "utf-8",
    "cp437",
    "cp850",
    "cp1253",
    "mac_roman",
    "mac_greek",
    "shift_jis",
    "gbk",
    "euc_kr",
    "cp737",
)
_DECODED = ("latin-1", "cp1252")
_VOLT = re.compile(r"(.*?)(?:v|volts?|volt\(s\))")
# Nominal rates are multiples of 1 Hz, of a third of 1 Hz and of 0.01 Hz; a rate that deviates by less is read as it.
_NOMINAL = ((1, 1e-5), (3, 2e-6), (100, 2e-6))


def _normalized(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _spellings_of_micro() -> set[str]:
    """Spellings of the prefix micro: in ASCII, in Unicode, and in other encodings as they look when decoded here."""
    # A program that can't encode the sign writes a question mark, or U+FFFD; no other prefix of volt is beyond ASCII.
    spellings = {"u", "micro", "mc", "?", "\ufffd", "\ufffd\ufffd"}
    for sign in "\u00b5\u03bc":
        spellings.add(_normalized(sign))
        for codec in _WRITTEN:
            encoded = sign.encode(codec, errors="ignore")
            spellings |= {_normalized(encoded.decode(name, errors="replace")) for name in _DECODED if encoded}
    return spellings


_MICROVOLTS = {"": 1e6, "m": 1e3, "milli": 1e3, "n": 1e-3, "nano": 1e-3} | dict.fromkeys(_spellings_of_micro(), 1.0)


def microvolts_of(unit: str) -> float:
    """Convert a unit of voltage to microvolts.

    Parameters
    ----------
    unit
        Unit as in the header: V, mV, \u00b5V or nV, also in words, in any case, and with the micro sign or the Greek
        letter mu in another encoding than that of the header.

    Returns
    -------
    float
        Microvolts of one unit; NaN if it is not a unit of voltage.
    """
    match = _VOLT.fullmatch(_normalized(unit))
    return _MICROVOLTS.get(match[1], math.nan) if match else math.nan


def nominal_rate(sfreq: float) -> float:
    """Round a sampling rate that differs from a usual one by less than headers can write.

    Parameters
    ----------
    sfreq
        Sampling rate in Hz, computed from rounded numbers such as a record length of 0.999999 s.

    Returns
    -------
    float
        The nearest whole rate if it deviates by at most 0.001 % (0.9 s in a day), the nearest third or hundredth of
        1 Hz if it deviates by at most 0.0002 %, otherwise `sfreq`.
    """
    for parts, tolerance in _NOMINAL:
        nominal = round(sfreq * parts) / parts
        if nominal > 0 and abs(nominal - sfreq) <= tolerance * sfreq:
            return float(nominal)
    return sfreq
