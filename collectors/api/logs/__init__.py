"""Log records over HTTP: search, counts, patterns, and lines as they come."""
