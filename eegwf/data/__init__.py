"""Recordings, windows and folds."""
