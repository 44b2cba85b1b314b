"""Where a result comes from: commit, image, versions; rerunning and bundling it."""
