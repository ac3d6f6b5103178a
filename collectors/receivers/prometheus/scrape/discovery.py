"""Where targets come from: static groups, files and HTTP endpoints."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import orjson
import structlog

from collectors.documents.composing import Bounds, compose
from collectors.documents.nodes import Items, Node
from collectors.documents.reading import Mistakes, read_all, text_of, validated
from collectors.errors import ConfigError, InputError, TocsinError
from collectors.json_text import read_plain
from collectors.receivers.body import decompress, read_body
from collectors.receivers.prometheus.scrape.config import (
    HttpDiscovery,
    ScrapeJob,
    TargetGroup,
    target_group,
)
from collectors.receivers.prometheus.scrape.shapes import TargetGroupShape

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
TIMEOUT_S = 10.0
# Machines write these files, not people.
_BOUNDS = Bounds(max_characters=MAX_DOCUMENT_BYTES, max_values=1_000_000)
_FAILURES = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    TocsinError,
    orjson.JSONDecodeError,
    TimeoutError,
)
_log = structlog.get_logger(__name__)


class Discovery:
    """Finds the target groups of one job, keeping the last good answer of every source."""

    def __init__(self, job: ScrapeJob, http: httpx2.AsyncClient) -> None:
        self._job = job
        self._http = http
        self._in_files: dict[str, tuple[TargetGroup, ...]] = {}
        self._answered: dict[str, tuple[TargetGroup, ...]] = {}
        self._asked_ms: dict[str, int] = {}

    async def groups(self, now_ms: int) -> list[TargetGroup]:
        """Return all groups as known now; a source that fails keeps what it said before."""
        if self._job.files:
            await anyio.to_thread.run_sync(self._read_files)
        for endpoint in self._job.http:
            asked_ms = self._asked_ms.get(endpoint.url)
            # A clock that was put back must not keep the endpoint from being asked.
            if asked_ms is None or not 0 <= now_ms - asked_ms < endpoint.refresh_ms:
                self._asked_ms[endpoint.url] = now_ms
                await self._ask(endpoint)
        discovered = chain(self._in_files.values(), self._answered.values())
        return [*self._job.static, *chain.from_iterable(discovered)]

    def _read_files(self) -> None:
        found: dict[str, tuple[TargetGroup, ...]] = {}
        for pattern in (Path(name) for files in self._job.files for name in files.files):
            for path in sorted(pattern.parent.glob(pattern.name)):
                try:
                    found[str(path)] = read_target_file(path)
                except ConfigError as error:
                    found[str(path)] = self._in_files.get(str(path), ())
                    _log.warning("target file skipped", job=self._job.name, reason=error.message)
        self._in_files = found

    async def _ask(self, endpoint: HttpDiscovery) -> None:
        try:
            with anyio.fail_after(TIMEOUT_S):  # also for an answer that comes byte by byte
                document = await self._fetch(endpoint.url)
            meta = {"__meta_url": endpoint.url}
            self._answered[endpoint.url] = _groups(document, endpoint.url, meta)
        except _FAILURES as error:
            reason = str(error) or f"no answer within {TIMEOUT_S:g} s"
            _log.warning("discovery failed", job=self._job.name, url=endpoint.url, reason=reason)

    async def _fetch(self, url: str) -> Any:
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        async with self._http.stream("GET", url, headers=headers, timeout=TIMEOUT_S) as response:
            if response.status_code != 200:
                raise InputError(f"{url} answered {response.status_code}")
            raw = await read_body(response.aiter_raw(), MAX_DOCUMENT_BYTES)
        encoding = response.headers.get("content-encoding", "")
        return read_plain(decompress(raw, encoding, MAX_DOCUMENT_BYTES))


def read_target_file(path: Path) -> tuple[TargetGroup, ...]:
    """Return the groups of a discovery file, JSON or YAML by its ending.

    Raises:
        ConfigError: The file can't be read or has another form.
    """
    meta = {"__meta_filepath": str(path)}
    if path.suffix == ".json":
        try:
            return _groups(orjson.loads(path.read_bytes()), str(path), meta)
        except (OSError, orjson.JSONDecodeError) as error:
            raise ConfigError(f"{path} is not a JSON file of targets: {error}") from error
    composed = compose(text_of(path, _BOUNDS), str(path), environment=os.environ, bounds=_BOUNDS)
    shapes = [shape for shapes in read_all(composed, _shapes) for shape in shapes]
    groups = [target_group(shape, str(path)) for shape in shapes]
    return tuple(_with_labels(group, meta) for group in groups)


def _shapes(node: Node) -> list[TargetGroupShape]:
    if not isinstance(node, Items):
        raise node.place.error(f"must be a list of groups, got {node}")
    mistakes = Mistakes()
    shapes = []
    for item in node:
        with mistakes.kept():
            shapes.append(validated(item, TargetGroupShape))
    mistakes.raise_any()
    return shapes


def _groups(document: Any, source: str, meta: Mapping[str, str]) -> tuple[TargetGroup, ...]:
    if not isinstance(document, list):
        raise ConfigError(f"{source} must hold a list of groups, not {str(document)[:60]!r}")
    groups = []
    for i, entry in enumerate(document):
        if not isinstance(entry, dict):
            raise ConfigError(f"{source} [{i}] must be a group of targets, not {str(entry)[:60]!r}")
        targets = entry.get("targets") or []
        labels = entry.get("labels") or {}
        if not isinstance(targets, list) or not all(isinstance(t, str) for t in targets):
            raise ConfigError(f"{source} [{i}].targets must be a list of host:port")
        if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
            raise ConfigError(f"{source} [{i}].labels must map names to texts")
        groups.append(TargetGroup(targets=tuple(targets), labels={**meta, **labels}, source=source))
    return tuple(groups)


def _with_labels(group: TargetGroup, labels: Mapping[str, str]) -> TargetGroup:
    return TargetGroup(
        targets=group.targets, labels={**labels, **group.labels}, source=group.source
    )
