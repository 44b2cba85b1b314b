"""Tuning: the search for good parameters, on validation patients only."""
