"""What the platform writes into its run directory for others to find it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from demo_stack.world.layout import Service


class RunFiles:
    """The run directory.

    ``platform.json`` (addresses and pids), ``discovery/*.json`` (scrape targets as Prometheus'
    ``file_sd`` reads them), ``ground-truth.jsonl``, ``changes.jsonl`` (what operators did),
    ``ledger.sqlite`` (billing),
    ``terminations.jsonl`` (what Chaos Monkey planned and did) and ``logs/``.

    Args:
        directory: Created when missing.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.logs = directory / "logs"
        self.truth = directory / "ground-truth.jsonl"
        self.changes = directory / "changes.jsonl"
        self.terminations = directory / "terminations.jsonl"
        self.ledger = directory / "ledger.sqlite"
        self._discovery = directory / "discovery"
        for needed in (self.logs, self._discovery):
            needed.mkdir(parents=True, exist_ok=True)

    def write_platform(self, document: Mapping[str, Any]) -> None:
        """Write ``platform.json``."""
        _replace(self._directory / "platform.json", document)

    def write_discovery(self, services: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        """Write the scrape targets of every region.

        Args:
            services: Region to service to base URLs.
        """
        groups = [
            {
                "targets": [url.removeprefix("http://") for url in by_name[Service.CATALOGUE]],
                "labels": {"service.name": Service.CATALOGUE, "cloud.region": region},
            }
            for region, by_name in services.items()
        ]
        _replace(self._discovery / f"{Service.CATALOGUE}.json", groups)


def _replace(path: Path, document: object) -> None:
    """Write so that a reader sees the old or the new file, never half of one."""
    draft = path.with_suffix(".tmp")
    draft.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    os.replace(draft, path)  # noqa: PTH105 - says what is meant
