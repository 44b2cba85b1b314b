"""Report: one page that says how well a combination works, and what stands behind the number."""
