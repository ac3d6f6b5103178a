"""The operator's configuration directory: read, checked, compared, and read again while it runs."""
