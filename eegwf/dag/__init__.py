"""What runs while Snakemake reads the workflow: rules' resources, settings, digests, plan; it never imports torch."""
