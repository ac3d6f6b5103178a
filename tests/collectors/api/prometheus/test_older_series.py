"""Look-ups of a time that only history remembers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.api.prometheus.routes import prometheus_routes
from collectors.api.work.workers import Workers
from collectors.clock import ManualClock
from collectors.errors import StorageError
from collectors.history.engine import HistoryEngine
from collectors.store.history.metric_history import MetricHistory
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request

STEP_MS = 60_000
DAY_MS = 86_400_000
START_MS = 1_700_010_000_000
NOW_MS = START_MS + 3 * DAY_MS
OLDEST_S, NOW_S = START_MS // 1000, NOW_MS // 1000


class Unwell(MetricHistory):
    """A history that can be told to answer nothing."""

    ill = False

    def series_between(self, *args: Any) -> Any:
        """Refuse, or answer."""
        if self.ill:
            raise StorageError("the disk is gone")
        return super().series_between(*args)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Unwell]]:
    """Open a store of three days: one series a day, the first day rolled up, an hour hot."""
    folder: Path = tmp_path_factory.mktemp("older")
    clock = ManualClock(START_MS)
    engine = HistoryEngine.open(f"chdb://{folder / 'history'}")
    history = Unwell(engine, step_ms=STEP_MS)
    store = MetricStore.open(
        folder / "store", step_ms=STEP_MS, hot_window_ms=3_600_000, clock=clock, history=history
    )
    for day, more in enumerate(("first", "second", "third", "now")):
        at = START_MS + day * DAY_MS
        clock.set_ms(at)
        labels = {"__name__": "heat", "room": more, f"of_{more}": "yes"}
        store.write_remote(write_request([(labels, [(at, 1.0)])]))
    store.flush_history()
    assert history.roll_up(START_MS + DAY_MS) == 1
    routes = prometheus_routes(store, clock, Workers())
    with TestClient(Starlette(routes=routes)) as client:
        yield client, history
    store.close()
    engine.close()


def said(client: TestClient, path: str, **params: Any) -> dict[str, Any]:
    answer = client.get(f"/api/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


DAY_S = DAY_MS // 1000
HOUR_S = 3_600
SPANS: dict[str, tuple[dict[str, int], list[str]]] = {
    "no start": ({}, ["now"]),
    "the hot window": ({"start": NOW_S - 600, "end": NOW_S}, ["now"]),
    "all": ({"start": 0}, ["first", "now", "second", "third"]),
    "what is rolled up": ({"start": OLDEST_S - 60, "end": OLDEST_S + HOUR_S}, ["first"]),
    "a day": ({"start": OLDEST_S + DAY_S, "end": OLDEST_S + DAY_S + 60}, ["second"]),
    "two days": ({"start": OLDEST_S + HOUR_S, "end": NOW_S - HOUR_S}, ["second", "third"]),
    "between": ({"start": OLDEST_S + HOUR_S, "end": OLDEST_S + 2 * HOUR_S}, []),
}


@pytest.mark.parametrize("name", SPANS)
def test_history_is_looked_through(asked: tuple[TestClient, Unwell], name: str) -> None:
    """A dashboard of last month could not choose what ran then."""
    client, _ = asked
    span, rooms = SPANS[name]
    assert said(client, "label/room/values", **span) == {"status": "success", "data": rooms}
    for match in ("heat", '{room=~"[a-z]+.*"}'):
        found = said(client, "series", **{"match[]": match}, **span)["data"]
        assert [one["room"] for one in found] == sorted(rooms, key=lambda r: f"of_{r}")
        labels = {label for one in found for label in one}
        assert said(client, "labels", **{"match[]": match}, **span)["data"] == sorted(labels)


def test_what_is_left_out_is_said(
    asked: tuple[TestClient, Unwell], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that is cut, or without history, would pass for the whole."""
    client, history = asked
    with monkeypatch.context() as less:
        less.setattr("collectors.store.history.metric_history.MAX_SERIES_LISTED", 2)
        found = said(client, "label/room/values", start=0)
        assert len(found["data"]) == 3
        assert "some are left out" in found["warnings"][0]
        found = said(
            client,
            "label/room/values",
            start=0,
            **{"match[]": '{__name__="heat", room!~"f[i]rst"}'},
        )
        assert found["data"] == ["now"]
        assert "a pattern is tried on at most" in found["warnings"][0]
    history.ill = True
    try:
        found = said(client, "labels", start=0)
    finally:
        history.ill = False
    assert found["data"] == ["__name__", "of_now", "room"]
    assert found["warnings"] == ["series of history are left out: the disk is gone"]
