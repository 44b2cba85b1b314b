"""Models: each has a module with its class, and an entry in `registry`."""
