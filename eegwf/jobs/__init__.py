"""Jobs of the workflow: one module for each rule, of the rule's name, whose `run` does what the rule's script is called
for.
"""
