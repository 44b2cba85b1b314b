"""Training of one parameter set on one split, shared by hyperparameter tuning and retraining."""
