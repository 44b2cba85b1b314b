"""What `eegwf check` looks at before anything runs: the configuration against the data, headers and events only."""
