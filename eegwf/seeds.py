"""Random seeds, each derived from the configured seed and the purpose of the random draw."""

import hashlib


def seed_of(seed: int, *purpose: str | int) -> int:
    """Derive the seed of a random draw.

    Parameters
    ----------
    seed
        The configured seed.
    *purpose
        Names and numbers that identify the draw. Different purposes have independent seeds.

    Returns
    -------
    int
        Seed from 0 to 2**63 - 1.
    """
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
