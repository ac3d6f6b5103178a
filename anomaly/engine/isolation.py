"""Keeping a rule that fails from stopping the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from anomaly.rules.rule import Rule

_log = structlog.get_logger(__name__)


class Isolation:
    """What each rule failed with last.

    Attributes:
        failed: Kind and words of the error, by name of the rule.
    """

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}

    @contextmanager
    def around(self, rule: Rule[Any]) -> Iterator[None]:
        """Do something for a rule; an error of its own is logged and kept to be shown."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - see the docstring
            _log.exception("rule failed", rule=rule.name)
            self.failed[rule.name] = f"{type(error).__name__}: {error}"
