"""What is wrong, since when, where, and why we think so.

Frames and spans come from the collectors; objectives (SLOs) and detectors turn them, step by step,
into :class:`anomaly.findings.Finding` objects that carry their own evidence. Nothing here pages,
groups or talks to people: that is the business of ``runbooks``.
"""
