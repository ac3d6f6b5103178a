"""Who is told: settings, ``notifiers.yaml`` and ``routes.yaml`` together."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from collectors.errors import DocumentError
from runbooks.notifiers.settling import ready
from runbooks.paging.routing import Target
from tocsin.configuration.reading import read_configuration
from tocsin.responding import routes_of
from tocsin.settings import Settings

CONSOLE = Target(notifier="console", channel="stderr")
SLACK = {"slack_bot_token": SecretStr("xoxb-1"), "slack_signing_secret": SecretStr("s")}


def told(directory: Path, **settings: object) -> tuple[Target, ...]:
    """Return who is told of what no route matches."""
    configuration = read_configuration(directory)
    given = Settings.model_validate(settings)
    return routes_of(configuration, ready(configuration.notifiers, given.given_for)).default


def test_without_anything_the_terminal_is_told(tmp_path: Path) -> None:
    """The first page of a new installation would reach nobody."""
    assert told(tmp_path) == (CONSOLE,)


def test_slack_is_told_as_soon_as_there_is_a_token(tmp_path: Path) -> None:
    """Nobody would be paged before somebody had written routes."""
    assert told(tmp_path, **SLACK) == (Target(notifier="slack", channel="incidents"),)
    assert told(tmp_path, **SLACK, slack_channel="ops") == (
        Target(notifier="slack", channel="ops"),
    )


def test_pages_to_what_is_not_set_up_reach_the_terminal(tmp_path: Path) -> None:
    """Pages of routes to Slack would end nowhere while the token is missing."""
    (tmp_path / "routes.yaml").write_text("default: [{notifier: slack, channel: incidents}]\n")

    with capture_logs() as logs:
        assert told(tmp_path) == (CONSOLE,)

    assert [entry["missing"] for entry in logs] == [["slack"]]
    assert told(tmp_path, **SLACK) == (Target(notifier="slack", channel="incidents"),)


@pytest.mark.parametrize(
    ("notifiers", "field", "words"),
    [
        ("", "default[0].notifier", "webhook is not set up"),
        ("webhook: {urls: {page: 'http://a'}}\n", "default[0].channel", "did you mean 'page'?"),
    ],
)
def test_a_route_that_leads_nowhere_is_a_mistake(
    tmp_path: Path, notifiers: str, field: str, words: str
) -> None:
    """The two files may each be right, and pages would still be refused when they are needed."""
    (tmp_path / "routes.yaml").write_text("default: [{notifier: webhook, channel: pager}]\n")
    if notifiers:
        (tmp_path / "notifiers.yaml").write_text(notifiers)

    with pytest.raises(DocumentError) as caught:
        read_configuration(tmp_path)

    assert (caught.value.field, caught.value.line) == (field, 1)
    assert words in caught.value.reason
