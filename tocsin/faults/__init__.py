"""Faults of the machine: told as findings, lived through, and repaired."""
