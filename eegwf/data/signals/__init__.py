"""Signals of a recording: header, channels, montage, filters."""
