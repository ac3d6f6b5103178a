"""How services are, over HTTP."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from anomaly.api.routes import anomaly_routes
from tests.anomaly.health.stage import LEARNED, Stage, called, served

PATH = "/api/v2/health/services"


@pytest.fixture(name="http", scope="module")
def _http(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    stage = Stage(tmp_path_factory.mktemp("health"))
    told = (served("web"), served("a/b", 5), called("web", "a/b", 5), served("new", 0.1))
    stage.run(LEARNED, told)
    sick = (served("a/b", 5, failing=0.5), called("web", "a/b", 5, failing=0.5))
    stage.run(4, (told[0], *sick, told[3]))
    return TestClient(Starlette(routes=anomaly_routes(stage.engine)))


def test_services_are_listed_the_sickest_first(http: TestClient) -> None:
    """Who is unwell would be looked for among hundreds that are not."""
    body = http.get(PATH).json()
    assert [one["service"] for one in body["services"]] == ["a/b", "web", "new"]
    assert body["by_health"] == {"red": 1, "yellow": 0, "green": 1, "grey": 1}
    assert body["total"] == 3
    assert "operations" not in body["services"][0]


def test_one_colour_is_asked_for(http: TestClient) -> None:
    """A script that only wants what is red would have to know the shape of all."""
    body = http.get(PATH, params={"health": "red"}).json()
    assert [one["service"] for one in body["services"]] == ["a/b"]
    refused = http.get(PATH, params={"health": "blue"})
    assert refused.status_code == 400
    assert "one of red, yellow, green, grey, got 'blue'" in refused.json()["message"]


def test_pages_are_as_long_as_asked_for(http: TestClient) -> None:
    """An answer would grow with the number of services."""
    body = http.get(PATH, params={"limit": 2}).json()
    assert len(body["services"]) == 2
    rest = http.get(PATH, params={"limit": 2, "cursor": body["next_cursor"]}).json()
    assert [one["service"] for one in rest["services"]] == ["new"]
    assert http.get(PATH, params={"limit": "x"}).status_code == 400


def test_one_service_has_its_parts(http: TestClient) -> None:
    """Names with slashes are names, too."""
    body = http.get(f"{PATH}/a/b").json()
    assert body["called_by"][0]["service"] == "web"
    assert body["called_by"][0]["unusual"] == ["errors"]
    assert [one["name"] for one in body["operations"]] == ["GET /"]
    missing = http.get(f"{PATH}/nobody")
    assert missing.status_code == 404
    assert "no service 'nobody'" in missing.json()["message"]
