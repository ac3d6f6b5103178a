"""Kinds that ask the HTTP API, in process, on the fixture databases."""

from __future__ import annotations

from benchmarks.conformance.comparing import Case, Checker


def check_pending(case: Case) -> str | None:
    """Not yet."""
    return f"no route for {case['kind']}"


HTTP_KINDS: dict[str, Checker] = {
    "http_get": check_pending,
    "graph_output": check_pending,
    "graph_uri": check_pending,
}
