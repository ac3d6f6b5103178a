"""What Prometheus sends: remote write 1.0 and 2.0 here, its pages in ``scrape/``."""
