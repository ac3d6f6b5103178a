"""Says to somebody outside that all is well, as long as it is."""
