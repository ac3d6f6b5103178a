"""The Atlas stack language: parse, evaluate in batch over a range, and step by step.

Text goes in (``name,sps,:eq,:sum``), an expression tree comes out; evaluation asks a
:class:`collectors.stacklang.database.Database` for aggregated lines and returns a
:class:`collectors.model.Frame`.
"""
