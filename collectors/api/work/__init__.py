"""Queries at work: their threads, their bounds, the list of them."""
