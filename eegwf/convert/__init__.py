"""Conversion of corpora as they are downloaded to BIDS with SzCORE events (`eegwf convert`)."""
