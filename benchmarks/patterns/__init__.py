"""How long regular expressions take over every value of a tag key, and what hostile ones cost."""
