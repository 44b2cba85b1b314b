"""Annotations of recordings in the formats in which data sets are published."""
