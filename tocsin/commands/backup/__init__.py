"""``tocsin backup`` and ``tocsin restore``."""
