"""Cost of a run, estimated before it starts."""
