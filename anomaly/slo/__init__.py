"""Service level objectives: OpenSLO documents in, error budgets and burn rates out.

Documents are read with the place of every mistake and become objectives that can run
(:mod:`anomaly.slo.objective`), which are fed with counts of good and bad events step by step.
Budgets are weighted by events; time without measurements counts neither for nor against.
"""
