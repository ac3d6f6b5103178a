"""Change: a level or a spread that is another one than before; see :mod:`.detector`."""
