"""Evaluation: pooled test predictions, scores, patient bootstrap, floors and seizure events."""
