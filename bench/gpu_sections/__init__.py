"""Sections of the GPU benchmark `python -m bench.gpu`, one subject per module."""
