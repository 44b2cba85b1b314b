"""Generator of a synthetic EEG data set with annotated seizures."""
