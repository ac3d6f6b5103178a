"""The war room's first screen, and what is one click behind it."""
