"""A notifier is one file: the registry finds it; routes and ``notifiers.yaml`` know it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import runbooks.notifiers
from anomaly.findings import Finding
from collectors.documents.schema import schema_of
from collectors.errors import ConfigError, DocumentError
from runbooks.desk.desk import IncidentDesk
from runbooks.notifiers.registry import notifiers
from runbooks.notifiers.settling import load_notifiers, notifiers_file, ready, unsettled
from runbooks.notifiers.webhook import WebhookParameters
from runbooks.paging.routing import RoutesFile, load_routes

ONE_FILE = '''\
"""Pages into a file, one line each."""

from pathlib import Path

from collectors.documents.section import Section
from collectors.documents.values import Count, Words
from runbooks.notifiers.kind import NotifierKind


class LogbookNotifier:
    """Appends to a file."""

    def __init__(self, path, most):
        self._path, self._most = path, most

    @property
    def name(self):
        return "logbook"

    def deliver(self, delivery):
        line = f"{delivery.channel} {delivery.action} {delivery.card.headline}"
        with self._path.open("a") as file:
            file.write(line[: self._most] + "\\n")
        return delivery.reference or "1"

    def find(self, delivery):
        return None


class LogbookParameters(Section):
    """Pages in a file."""

    path: Words
    most: Count = 200


NOTIFIER = NotifierKind(
    name="logbook",
    parameters=LogbookParameters,
    make=lambda told: LogbookNotifier(Path(told.path), told.most),
    channels=lambda told: ["night", "day"],
    default_channel=lambda told: "day",
)
'''

ROUTES = "default:\n- {notifier: logbook, channel: night}\n"


@pytest.fixture
def one_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory whose files are notifiers like those that are shipped."""
    room = tmp_path / "room"
    room.mkdir()
    paths = [*runbooks.notifiers.__path__, str(room)]
    monkeypatch.setattr(runbooks.notifiers, "__path__", paths)
    (room / "logbook.py").write_text(ONE_FILE, encoding="utf-8")
    notifiers.cache_clear()
    yield room
    notifiers.cache_clear()
    for name in [n for n in sys.modules if n.startswith("runbooks.notifiers.logbook")]:
        del sys.modules[name]


def written(directory: Path, name: str, text: str) -> Path:
    """Return the path of a file that holds ``text``."""
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_all_that_a_notifier_takes(
    one_more: Path,
    tmp_path: Path,
    make_desk: Callable[..., IncidentDesk],
    make_finding: Callable[..., Finding],
) -> None:
    """Without an edit elsewhere a route may name it, and it pages."""
    book = tmp_path / "book.txt"
    told = load_notifiers(written(tmp_path, "notifiers.yaml", f"logbook: {{path: {book}}}\n"))
    routes = load_routes(written(tmp_path, "routes.yaml", ROUTES))
    made = ready(told)

    assert [*routes.mistakes(told)] == []
    desk = make_desk(notifiers=made.notifiers, routes=routes)
    desk.receive(make_finding())
    desk.tick()

    assert book.read_text().startswith("night open [SEV2] Playback starts fail in us-east-1")
    assert made.default == (("logbook", "day"),)


@pytest.mark.parametrize(
    ("name", "text", "field", "words"),
    [
        ("notifiers.yaml", "logbook: {}", "logbook.path", "is required"),
        ("notifiers.yaml", "logbook: {path: a, most: x}", "logbook.most", "must be a whole number"),
        ("notifiers.yaml", "logbok: {path: a}", "logbok", "unknown field; did you mean 'logbook'?"),
        (
            "routes.yaml",
            ROUTES.replace("logbook", "logbok"),
            "default[0].notifier",
            "slack, webhook, got 'logbok'; did you mean 'logbook'?",
        ),
    ],
)
@pytest.mark.usefixtures("one_more")
def test_its_settings_are_checked_as_its_file_says(
    tmp_path: Path, name: str, text: str, field: str, words: str
) -> None:
    """A slip of the pen would be noticed in the first bad night."""
    path = written(tmp_path, name, text)

    with pytest.raises(DocumentError) as caught:
        load_notifiers(path) if name == "notifiers.yaml" else load_routes(path)

    assert caught.value.field == field
    assert words in caught.value.reason


@pytest.mark.usefixtures("one_more")
def test_editors_know_it() -> None:
    """An editor would mark a right name as wrong, and complete only those that are shipped."""
    schema = schema_of((RoutesFile,))
    (names,) = (
        s["properties"]["notifier"]
        for s in schema["$defs"].values()
        if "enum" in s.get("properties", {}).get("notifier", {})
    )

    assert names["enum"] == [
        *("apprise", "console", "logbook", "mail", "pagerduty", "slack", "webhook")
    ]
    assert "logbook" in schema_of((notifiers_file(),))["$defs"]["NotifiersFile"]["properties"]


def test_two_files_with_one_name_are_refused(one_more: Path) -> None:
    """Otherwise the order of files would decide which of them pages."""
    written(one_more, "logbook_again.py", ONE_FILE)

    with pytest.raises(ConfigError, match=r"logbook_again declares a NOTIFIER 'logbook'"):
        notifiers()


@pytest.mark.usefixtures("one_more")
def test_a_channel_that_it_does_not_have_is_told_with_its_line(tmp_path: Path) -> None:
    """A page to a misspelt channel would be refused when it is needed."""
    told = load_notifiers(written(tmp_path, "notifiers.yaml", "logbook: {path: a}"))
    routes = load_routes(written(tmp_path, "routes.yaml", ROUTES.replace("night", "nigth")))

    (mistake,) = routes.mistakes(told)

    assert mistake.line == 2
    assert mistake.field == "default[0].channel"
    assert mistake.reason == "'nigth' is no channel of logbook; did you mean 'night'?"


def test_shipped_notifiers_are_found_by_name() -> None:
    """The names that documents use stay what they are."""
    assert list(notifiers()) == [*("apprise", "console", "mail", "pagerduty", "slack", "webhook")]
    assert all(kind.name == name for name, kind in notifiers().items())


def test_settings_come_before_the_file(tmp_path: Path) -> None:
    """An address of the environment would be overruled by a file that was left behind."""
    text = "slack: {bot_token: '${TOKEN}', signing_secret: s, channel: file}"
    path = written(tmp_path, "notifiers.yaml", text)
    told = load_notifiers(path, environment={"TOKEN": "xoxb-1"})

    assert ready(told).default == (("slack", "file"),)
    assert ready(told, lambda _: {"channel": "set", "unknown": 1}).default == (("slack", "set"),)
    assert "xoxb-1" not in repr(told)


def test_what_is_set_up_without_any_file() -> None:
    """With nothing configured a page must still reach the terminal."""
    found = ready(unsettled())

    assert [notifier.name for notifier in found.notifiers] == ["console"]
    assert found.default == ()
    assert "webhook" not in found.told


def test_slack_set_up_by_half_is_refused(tmp_path: Path) -> None:
    """Buttons of Slack's messages would be refused one by one."""
    told = load_notifiers(written(tmp_path, "notifiers.yaml", "slack: {bot_token: xoxb-1}"))

    with pytest.raises(ConfigError, match="bot token but no signing secret"):
        ready(told)


@pytest.mark.parametrize("address", ["pager.example.org", "ftp://a", "http://"])
def test_an_address_of_a_webhook_is_one(tmp_path: Path, address: str) -> None:
    """A page would be refused by the HTTP client, at night."""
    text = f"webhook: {{urls: {{pager: '{address}'}}, timeout: 2s}}"

    with pytest.raises(DocumentError) as caught:
        load_notifiers(written(tmp_path, "notifiers.yaml", text))

    assert caught.value.field == "webhook.urls.pager"


def test_a_webhooks_channels_are_its_addresses(tmp_path: Path) -> None:
    """A route could name a channel that has no address."""
    text = "webhook: {urls: {pager: 'http://127.0.0.1:9/'}, timeout: 2s}"
    told = load_notifiers(written(tmp_path, "notifiers.yaml", text))["webhook"]

    assert isinstance(told, WebhookParameters)
    assert told.timeout == 2_000
    assert notifiers()["webhook"].channels(told) == {"pager"}
