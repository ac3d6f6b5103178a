"""The Atlas stack language: parse, evaluate in batch over a range, and step by step.

Text goes in (``name,sps,:eq,:sum``), an expression tree comes out; evaluation asks a
:class:`collectors.stacklang.database.Database` for aggregated lines and returns a
:class:`collectors.model.Frame`. Where to begin:

=============================  ==================================================
``evaluation.evaluate``        a program over a window, in one go
``streaming``                  standing programs, a step at a time
``vocabularies.interpreter``   the words, each an object that describes itself
``words/``, ``expressions/``   a vocabulary a file, and its twin of expressions
``query`` and ``query_*``      predicates over tags, their algebra and analysis
``times``                      times, durations and step sizes as users write them
``memory``, ``testing``        a reference database, for tests
=============================  ==================================================
"""
