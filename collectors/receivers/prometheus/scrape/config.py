"""The ``scrape_configs`` document, in Prometheus's form."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collectors.documents.reading import load_section
from collectors.receivers.prometheus.scrape.relabel import RelabelRule, compile_regex
from collectors.receivers.prometheus.scrape.shapes import (
    FileDiscoveryShape,
    JobShape,
    RelabelShape,
    ScrapeFile,
    TargetGroupShape,
)

_DEFAULT_BODY_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """Addresses with common labels, as any discovery gives them."""

    targets: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiscovery:
    """JSON or YAML files of target groups; the last part of a path may be a pattern."""

    files: tuple[str, ...]
    refresh_ms: int = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDiscovery:
    """An endpoint that answers target groups as JSON."""

    url: str
    refresh_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeLimits:
    """Bounds of one scrape; 0 is no limit. A scrape above one fails whole."""

    body_bytes: int = _DEFAULT_BODY_LIMIT
    samples: int = 0
    labels: int = 0
    label_name_length: int = 0
    label_value_length: int = 0
    targets: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeJob:
    """One entry of ``scrape_configs``."""

    name: str
    interval_ms: int = 60_000
    timeout_ms: int = 10_000
    metrics_path: str = "/metrics"
    scheme: str = "http"
    params: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    honor_labels: bool = False
    honor_timestamps: bool = True
    authorization: str = ""
    static: tuple[TargetGroup, ...] = ()
    files: tuple[FileDiscovery, ...] = ()
    http: tuple[HttpDiscovery, ...] = ()
    relabel: tuple[RelabelRule, ...] = ()
    metric_relabel: tuple[RelabelRule, ...] = ()
    limits: ScrapeLimits = ScrapeLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeConfig:
    """A whole document."""

    jobs: tuple[ScrapeJob, ...]


def load_scrape_config(path: Path, environment: Mapping[str, str] | None = None) -> ScrapeConfig:
    """Read a document with ``global`` and ``scrape_configs``.

    Args:
        path: The YAML file; relative ``file_sd_configs`` paths start from its directory.
        environment: Where ``${NAME}`` is looked up; the process's own by default.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    known = os.environ if environment is None else environment
    document = load_section(path, ScrapeFile, environment=known)
    return ScrapeConfig(
        jobs=tuple(_job(document, shape, path.parent) for shape in document.scrape_configs)
    )


def _job(document: ScrapeFile, shape: JobShape, directory: Path) -> ScrapeJob:
    return ScrapeJob(
        name=shape.job_name,
        interval_ms=document.interval_ms(shape),
        timeout_ms=document.timeout_ms(shape),
        metrics_path=shape.metrics_path,
        scheme=shape.scheme,
        params=shape.params,
        honor_labels=shape.honor_labels,
        honor_timestamps=shape.honor_timestamps,
        authorization=_authorization(shape),
        static=tuple(target_group(g, g.place.path) for g in shape.static_configs),
        files=tuple(_file_discovery(f, directory) for f in shape.file_sd_configs),
        http=tuple(
            HttpDiscovery(url=h.url, refresh_ms=h.refresh_interval) for h in shape.http_sd_configs
        ),
        relabel=tuple(_rule(r) for r in shape.relabel_configs),
        metric_relabel=tuple(_rule(r) for r in shape.metric_relabel_configs),
        limits=_limits(shape),
    )


def target_group(shape: TargetGroupShape, source: str) -> TargetGroup:
    """Return a static or a discovered group of targets."""
    return TargetGroup(targets=shape.targets, labels=shape.labels, source=source)


def _authorization(shape: JobShape) -> str:
    given = shape.authorization
    return f"{given.type} {given.credentials}" if given else ""


def _file_discovery(shape: FileDiscoveryShape, directory: Path) -> FileDiscovery:
    files = tuple(str(directory / file) for file in shape.files)
    return FileDiscovery(files=files, refresh_ms=shape.refresh_interval)


def _limits(shape: JobShape) -> ScrapeLimits:
    return ScrapeLimits(
        body_bytes=shape.body_size_limit or _DEFAULT_BODY_LIMIT,
        samples=shape.sample_limit,
        labels=shape.label_limit,
        label_name_length=shape.label_name_length_limit,
        label_value_length=shape.label_value_length_limit,
        targets=shape.target_limit,
    )


def _rule(shape: RelabelShape) -> RelabelRule:
    regex = RelabelRule().regex if shape.regex is None else compile_regex(shape.regex)
    return RelabelRule(
        action=shape.action,
        source_labels=shape.source_labels,
        separator=shape.separator,
        regex=regex,
        modulus=shape.modulus,
        target_label=shape.target_label,
        replacement=shape.replacement,
    )
