"""Honest requests beside the nastiest queries: who waits for whom."""
