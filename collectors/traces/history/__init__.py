"""Spans in history, in the OpenTelemetry exporter's table: rows, inserts and searches."""
