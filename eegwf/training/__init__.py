"""Training: the one function that tuning and retraining share."""
