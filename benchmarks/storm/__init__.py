"""Ten thousand findings at once, and whether an outage that has nothing to do with them pages."""
