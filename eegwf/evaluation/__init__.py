"""Evaluation: pooled test predictions, scores, patient bootstrap, baselines and seizure events."""
