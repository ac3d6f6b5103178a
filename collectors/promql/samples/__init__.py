"""Samples of many series in flat columns, and the compiled loops over their windows."""
