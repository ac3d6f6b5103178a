"""The composition root: settings, the server that wires the rooms, and the command line."""
