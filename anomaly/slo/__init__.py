"""Service level objectives: OpenSLO documents in, error budgets and burn rates out.

Documents are read with the place of every mistake, become runnable :class:`~anomaly.slo.objective.
Objective` objects, and are fed with counts of good and bad events step by step. Budgets are weighted
by events, and time without measurements counts neither for nor against.
"""
