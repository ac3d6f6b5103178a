"""Incidents as events: an append-only log, pure decisions, everything else derived.

``decide(state, command, now)`` says which events a command leads to; ``fold`` turns events into
state; ``measures`` derives timestamps and durations. Only ``store`` touches the disk.
"""
