"""Files, locks, unfinished work and worker processes."""
