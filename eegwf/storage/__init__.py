"""Files, locks, state of unfinished jobs and worker processes."""
