"""Telemetry in, kept, asked.

Bytes arrive at a receiver, become a :class:`collectors.model.Batch` or spans, are written to the
log before they are acknowledged, and can be asked in the stack language or by trace search.
Nothing here knows what an SLO, an alert or an incident is.
"""
