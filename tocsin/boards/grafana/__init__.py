"""Saved dashboards of Grafana as dashboards of ours, and what is left of them."""
