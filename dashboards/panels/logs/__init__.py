"""Panels of log records: the search, counts by severity, lines, and what is new among them."""
