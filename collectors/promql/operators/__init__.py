"""Operators between values, and aggregations over them."""
