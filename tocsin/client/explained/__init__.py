"""Shapes of the explanations that the server gives."""
