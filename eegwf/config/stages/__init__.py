"""Settings of each stage: what decides its result, passed to its script as JSON.

`eegwf.dag.stage_config` builds them from a study; every field has the name and the meaning that it has there.
"""
