"""One region: its services assembled, and the process that holds it."""
