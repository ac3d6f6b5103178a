"""Which of Prometheus's paths take a form; known without loading what answers them."""

from __future__ import annotations

FORMS = (
    "query",
    "query_range",
    "series",
    "labels",
    "query_exemplars",
    "format_query",
    "parse_query",
)
"""What may be sent as a form by POST, under ``/api/v1/``."""
