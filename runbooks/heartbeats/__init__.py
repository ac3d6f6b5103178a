"""Heartbeats: jobs that report that they live, and are missed when they do not."""
