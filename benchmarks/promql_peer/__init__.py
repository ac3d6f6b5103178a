"""Expressions without end, asked of Prometheus and of the store after the same bodies."""
