"""PromQL over columns of series: the language, and an evaluator that knows no storage.

A text becomes nodes (``language``); nodes and a source of samples become vectors of series × steps
(``evaluation``, ``functions``) with label sets as columns of word numbers (``labels``). Answers
follow the documentation of Prometheus 3; ``docs/reference/promql.md`` says what is left out.
"""
