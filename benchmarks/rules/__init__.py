"""What a step of many standing expressions costs over many series."""
