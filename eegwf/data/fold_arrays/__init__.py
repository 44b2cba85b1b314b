"""Data sets given as arrays that are already cut into folds."""
