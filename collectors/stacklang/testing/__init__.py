"""A reference database and windows for tests of the language."""
