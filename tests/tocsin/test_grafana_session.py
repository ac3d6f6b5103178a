"""A session of Grafana's data sources against a whole server, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from collectors.store.testing.encoder import write_request
from tests.tocsin.configuration.test_reload import settings, write
from tests.tocsin.grafana_requests import ALERTMANAGER, HOUR_AGO, NOW, NOW_MS, PROMETHEUS, Asked
from tocsin.testing import LocalTocsin, local_tocsin


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalTocsin]:
    """A server that a Prometheus wrote to."""
    directory = tmp_path_factory.mktemp("server")
    write(directory / "ops", "shop")
    with local_tocsin(settings(directory)) as running:
        running.run(12)
        times = range(running.now_ms - 60_000, running.now_ms + 1, 15_000)
        series = [
            (
                {
                    "__name__": "http_requests_total",
                    "job": "shop",
                    "instance": instance,
                    "service.name": "shop",
                },
                [(at, float(at - times[0])) for at in times],
            )
            for instance in "ab"
        ]
        series.append(({"__name__": "up", "job": "shop"}, [(at, 1.0) for at in times]))
        running.collectors.metrics.write_remote(write_request(series))
        yield running


def sent(server: LocalTocsin, asked: Asked) -> Any:
    """Send a request as Grafana does; return the answer's JSON."""
    stands = {NOW: server.now_ms / 1000, NOW_MS: server.now_ms}
    stands[HOUR_AGO] = stands[NOW] - 3_600

    def filled(given: dict[str, Any]) -> dict[str, Any]:
        return {name: stands.get(value, value) for name, value in given.items()}

    with httpx2.Client(trust_env=False, timeout=60) as http:
        answer = http.request(
            "GET" if asked.form is None and asked.body is None else "POST",
            f"{server.api.base_url}/{asked.path}",
            params=filled(asked.params),
            data=None if asked.form is None else filled(asked.form),
            json=asked.body,
        )
    assert answer.status_code == asked.status, answer.text
    return answer.json() if asked.has is not None else None


def assert_has(found: Any, wanted: Any, where: str) -> None:
    """Fail unless an answer has what is wanted of it."""
    if wanted is ...:
        return
    if isinstance(wanted, dict):
        assert isinstance(found, dict), where
        for name, value in wanted.items():
            assert name in found, f"{where}.{name}"
            assert_has(found[name], value, f"{where}.{name}")
    elif isinstance(wanted, list):
        assert isinstance(found, list), where
        assert len(found) >= len(wanted), where
        for at, value in enumerate(wanted):
            assert_has(found[at], value, f"{where}[{at}]")
    else:
        assert found == wanted, where


@pytest.mark.parametrize(
    "asked", [*PROMETHEUS, *ALERTMANAGER], ids=lambda asked: asked.what.replace(" ", "-")
)
def test_a_session_is_answered_as_grafana_expects(server: LocalTocsin, asked: Asked) -> None:
    """A panel, a variable, or the data source itself would not work."""
    found = sent(server, asked)
    if asked.has is not None:
        assert_has(found, asked.has, asked.path)
    for name in asked.lacks:
        assert name not in found["data"]
