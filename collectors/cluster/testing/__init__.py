"""A cluster within one process, for tests."""
