"""Hot values: blocks of series × steps, how samples land in them, are sealed and are aggregated."""
