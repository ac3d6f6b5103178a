"""The text of a query in a subset of TraceQL, and what it says as data."""
