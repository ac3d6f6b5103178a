"""Carrying steps out: asking the metrics, a host, a program. Each within its bounds."""
