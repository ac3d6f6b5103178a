"""Commands below ``tocsin oncall``."""
