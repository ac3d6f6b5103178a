"""The fake API on a real socket, and pages run in process against it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from dashboards import sources
from dashboards.testing import FakeApi, OpenPage, World, open_page


@pytest.fixture(name="now_ms")
def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="session", name="shared_api")
def _shared_api() -> Iterator[FakeApi]:
    with FakeApi(World.quiet(0)) as api:
        yield api


@pytest.fixture(name="api")
def _api(shared_api: FakeApi, now_ms: int) -> FakeApi:
    """The API during an incident; tests may change its world."""
    shared_api.reset(World.in_incident(now_ms))
    return shared_api


@pytest.fixture(name="mortal_api")
def _mortal_api(now_ms: int) -> Iterator[FakeApi]:
    """An API of the test's own, which it may stop."""
    with FakeApi(World.in_incident(now_ms)) as api:
        yield api


@pytest.fixture(name="opened")
def _opened(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """A function that opens pages about ``api``."""
    yield from _pages(api, monkeypatch)


@pytest.fixture(name="opened_mortal")
def _opened_mortal(mortal_api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """A function that opens pages about ``mortal_api``."""
    yield from _pages(mortal_api, monkeypatch)


def _pages(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    monkeypatch.setenv(sources.API_URL, api.url)
    monkeypatch.setenv(sources.SLACK_PREVIEW_URL, api.url)
    yield open_page
    sources.release()
