"""Labelled lines over a window, and the scope in which an expression makes them.

``database`` says what a store must answer; ``line_set`` and ``layouts`` are what expressions hand
each other.
"""
