"""What only others can say of a configuration: a running server its metrics, Slack its channels."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

from anomaly.promql.written import names_in, query_in
from collectors.documents.nodes import Place
from collectors.documents.reading import load_section
from collectors.errors import DocumentError
from collectors.stacklang.evaluation.batch import parse
from runbooks.paging.routing import RoutesFile
from tocsin.configuration.reading import Configuration


class Tagged(Protocol):
    """What of :class:`tocsin.client.client.ApiClient` is asked."""

    def tags(self, key: str | None = None, *, query: str | None = None) -> list[str]:
        """Return the values of a tag of series that match."""
        ...


class ChannelList(Protocol):
    """What of :class:`runbooks.notifiers.slack.SlackNotifier` is asked."""

    def lists(self, channel: str) -> bool:
        """Return whether there is such a channel."""
        ...


def unknown_metrics(configuration: Configuration, server: Tagged) -> Iterator[DocumentError]:
    """Yield each part of an objective or detector for which the server has no series.

    It may only not have come yet, so these are warnings.

    Args:
        configuration: What the files say.
        server: The running server.
    """
    names = server.tags("name")
    for rules in configuration.definitions.values():
        for rule in rules:
            if not rule.source:
                continue  # built in: what it is about may never come here
            file, _, line = rule.source.rpartition(":")
            place = Place(file=file, line=int(line), path=rule.name)
            for query in dict.fromkeys(_queries(rule)):
                if not server.tags("name", query=query):
                    told = f"the server holds no series that match {query}"
                    yield place.error(f"{told}{_near(query, names)}")


def _queries(rule: Any) -> Iterator[str]:
    """Yield what a rule asks of the store, each in the stack language; "" is nothing."""
    parts = ("expr", "part_expr", "total_expr")
    whole = [found for part in parts if (found := getattr(rule, part, ""))]
    for expression in whole:
        query = query_in(expression)
        if query is not None:
            yield from (f"name,{name},:eq" for name in names_in(query))
            continue
        for style in parse(expression):
            yield from (str(data.query) for data in style.expr.data_exprs)


def _near(query: str, names: list[str]) -> str:
    """Return which metric may be meant, when none has the name that is asked for."""
    words = query.split(",")
    asked = [words[at + 1] for at, word in enumerate(words[:-2]) if word == "name"]
    wrong = [name for name in asked if name not in names]
    near = get_close_matches(wrong[0], names, n=1) if wrong else []
    return f"; did you mean {near[0]}?" if near else ""


def unknown_channels(directory: Path, slack: ChannelList) -> Iterator[DocumentError]:
    """Yield each channel of ``routes.yaml`` that Slack does not list.

    Raises:
        NotDeliveredError: Slack refused to list its channels, for example the token.
        DelayedError: Slack can't be reached or wants us to wait.
    """
    path = directory / "routes.yaml"
    if not path.exists():
        return
    shape = load_section(path, RoutesFile)
    for target in (*shape.default, *(target for route in shape.routes for target in route.to)):
        if target.notifier == "slack" and not slack.lists(target.channel):
            told = f"Slack lists no channel {target.channel!r}: create it, or invite the app to it"
            yield target.at("channel").error(told)
