"""One file a command; :mod:`tocsin.cli` gathers them."""
