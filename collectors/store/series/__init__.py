"""Which series there are: identity, tags in columns, the index over them, and plans of queries."""
