"""Prometheus's HTTP API over what is stored: queries, look-ups, status, federation, remote read."""
