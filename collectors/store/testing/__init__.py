"""A plain normaliser to compare with and an encoder of remote-write bodies, for tests."""
