"""Spans as a tree: whose parent is whose, clocks made to agree, own time, the critical path."""
