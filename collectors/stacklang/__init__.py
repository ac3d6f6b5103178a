"""The Atlas stack language: parse, evaluate in batch over a range, and step by step.

Text goes in (``name,sps,:eq,:sum``), an expression tree comes out; evaluation asks a
:class:`collectors.stacklang.lines.database.Database` for aggregated lines and returns a
:class:`collectors.model.Frame`. Where to begin:

=================================  ==================================================
``evaluation.batch.evaluate``      a program over a window, in one go
``evaluation.streaming``           standing programs, a step at a time
``words.vocabularies.interpreter`` the words, each an object that describes itself
``words/``, ``expressions/``       a vocabulary a file, and its twin of expressions
``program/``                       the stack machine that runs words
``predicates/``                    predicates over tags, their algebra and analysis
``lines/``, ``numeric/``           what expressions hand each other, and the arithmetic
``text/``                          times, durations, steps and numbers as users write them
``testing/``                       a reference database, for tests
=================================  ==================================================
"""
