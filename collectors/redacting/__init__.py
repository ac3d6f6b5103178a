"""Secrets taken out of what comes in, before anybody keeps it: rules, and the file of them."""
