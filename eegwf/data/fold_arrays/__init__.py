"""Data sets given as arrays that are already divided into folds."""
