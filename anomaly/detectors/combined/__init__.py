"""Combined: three detectors as one, within one budget; see :mod:`.detector`."""
