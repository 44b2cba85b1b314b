"""Seeds of random draws, each derived from the configured seed and the draw's purpose."""

import hashlib


def seed_of(seed: int, *purpose: str | int) -> int:
    """Seed below 2**63 of one draw: the same for the same seed and purpose, unrelated for others."""
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
