"""The front door: checks who asks, composes answers from the services behind it."""
