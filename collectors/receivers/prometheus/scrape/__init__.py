"""Prometheus scraping: targets found, their pages fetched, parsed and committed whole.

What flows in: a ``scrape_configs`` document, targets from static, file and HTTP discovery, and the
exposition pages of those targets. What flows out: a batch a scrape, with staleness markers for what
disappeared, and ``up`` with the four other report series.
"""
