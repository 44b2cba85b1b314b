"""Checks of `eegwf check`: compare a configuration with its data before anything runs."""
