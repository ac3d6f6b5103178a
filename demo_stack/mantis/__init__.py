"""A live stream of sampled requests, filtered where they happen (as Netflix's Mantis does it)."""
