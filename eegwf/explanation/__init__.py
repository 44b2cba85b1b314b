"""Explanation: what a classifier looked at."""
