"""The configuration: one definition gives validation, defaults, schema and the reference page."""
