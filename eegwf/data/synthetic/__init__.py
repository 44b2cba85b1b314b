"""The synthetic data set."""
