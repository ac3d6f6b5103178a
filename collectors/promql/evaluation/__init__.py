"""Nodes, a source of samples and a grid of steps become values."""
