"""Hyperparameter tuning, which uses the validation folds only."""
