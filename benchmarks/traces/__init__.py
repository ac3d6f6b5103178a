"""Traces: spans a second acknowledged, searches over many millions, memory and disk."""
