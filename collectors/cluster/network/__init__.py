"""Nodes reach each other: over HTTP, with one token and a deadline."""
