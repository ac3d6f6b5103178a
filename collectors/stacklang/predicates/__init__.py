"""Predicates over tags: tree, algebra, analysis, an index by exact pairs, regular expressions."""
