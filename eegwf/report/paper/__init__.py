"""Texts, checklists, references and files for a paper."""
