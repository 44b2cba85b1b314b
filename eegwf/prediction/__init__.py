"""Prediction: the models of a study applied to recordings, from a run or from a bundle."""
