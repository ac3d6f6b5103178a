"""Label sets of many series as columns, and what selects them."""
