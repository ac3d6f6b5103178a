"""Service level objectives: counts of good and bad events in, budgets and burn rates out.

Budgets are weighted by events; time without measurements counts neither for nor against. The
OpenSLO documents that objectives are written in are read in ``documents``.
"""
