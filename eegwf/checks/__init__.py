"""Checks of `eegwf check`: compare a configuration with its data, by headers and events only, before anything runs."""
