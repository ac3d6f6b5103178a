"""Runs: what is done next, by whom, and what became of it. The core is pure."""
