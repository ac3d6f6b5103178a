"""The API of Prometheus's Alertmanager, as its clients use it."""
