"""Entry points of the workflow's jobs: one module for each rule, of the rule's name."""
