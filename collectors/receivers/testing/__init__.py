"""Fakes and generators for tests of receivers; shipped, so that others may use them too."""
