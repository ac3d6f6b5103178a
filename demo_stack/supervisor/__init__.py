"""Starts the platform's processes, watches them, and ends them."""
