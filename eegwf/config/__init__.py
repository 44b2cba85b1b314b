"""The configuration: its definition provides validation, defaults and the reference page."""
