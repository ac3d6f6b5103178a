"""The ``scrape_configs`` document, in Prometheus's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collectors.documents import Field, load_document
from collectors.receivers.prometheus.scrape.relabel import Action, RelabelRule, compile_regex

# Dots are not classic, but OpenTelemetry names such as cloud.region have them.
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]*")
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


_GLOBAL = frozenset({"scrape_interval", "scrape_timeout"})
_LIMITS = {
    "sample_limit": "samples",
    "label_limit": "labels",
    "label_name_length_limit": "label_name_length",
    "label_value_length_limit": "label_value_length",
    "target_limit": "targets",
}
_JOB = frozenset(
    {"job_name", "scrape_interval", "scrape_timeout", "metrics_path", "scheme", "params"}
    | {"honor_labels", "honor_timestamps", "authorization", "static_configs", "file_sd_configs"}
    | {"http_sd_configs", "relabel_configs", "metric_relabel_configs", "body_size_limit"}
    | set(_LIMITS)
)
_RULE = frozenset(
    {"source_labels", "separator", "target_label", "regex", "modulus", "replacement", "action"}
)


def load_scrape_config(path: Path, environment: Mapping[str, str] | None = None) -> ScrapeConfig:
    """Read a document with ``global`` and ``scrape_configs``.

    Args:
        path: The YAML file; relative ``file_sd_configs`` paths start from its directory.
        environment: Where ``${NAME}`` is looked up; the process's own by default.

    Raises:
        DocumentError: Something is wrong, with file, line and field.
    """
    root = load_document(path, environment).mapping(frozenset({"global", "scrape_configs"}))
    interval_ms, timeout_ms = 60_000, 10_000
    if "global" in root:
        general = root["global"].mapping(_GLOBAL)
        interval_ms = _duration(general, "scrape_interval", interval_ms)
        timeout_ms = _duration(general, "scrape_timeout", min(timeout_ms, interval_ms))
    jobs: dict[str, ScrapeJob] = {}
    for entry in root["scrape_configs"].items() if "scrape_configs" in root else ():
        job = _job(entry, interval_ms, timeout_ms, path.parent)
        if job.name in jobs:
            raise entry.error(f"job_name {job.name!r} is used twice")
        jobs[job.name] = job
    return ScrapeConfig(jobs=tuple(jobs.values()))


def _job(entry: Field, interval_ms: int, timeout_ms: int, directory: Path) -> ScrapeJob:
    fields = entry.mapping(_JOB)
    if "job_name" not in fields or not fields["job_name"].text():
        raise entry.error("job_name is missing")
    interval_ms = _duration(fields, "scrape_interval", interval_ms)
    own_timeout_ms = _duration(fields, "scrape_timeout", min(timeout_ms, interval_ms))
    if own_timeout_ms > interval_ms:
        raise fields["scrape_timeout"].error(
            f"{own_timeout_ms} ms is longer than the scrape_interval of {interval_ms} ms"
        )
    return ScrapeJob(
        name=fields["job_name"].text(),
        interval_ms=interval_ms,
        timeout_ms=own_timeout_ms,
        metrics_path=_text(fields, "metrics_path", "/metrics"),
        scheme=_scheme(fields),
        params=_params(fields),
        honor_labels=_flag(fields, "honor_labels", False),
        honor_timestamps=_flag(fields, "honor_timestamps", True),
        authorization=_authorization(fields),
        static=_static(fields),
        files=_file_discoveries(fields, directory),
        http=_http_discoveries(fields),
        relabel=_rules(fields, "relabel_configs"),
        metric_relabel=_rules(fields, "metric_relabel_configs"),
        limits=_limits(fields),
    )


def _duration(fields: dict[str, Field], name: str, default: int) -> int:
    return fields[name].duration_ms() if name in fields else default


def _text(fields: dict[str, Field], name: str, default: str) -> str:
    return fields[name].text() if name in fields else default


def _flag(fields: dict[str, Field], name: str, default: bool) -> bool:
    return fields[name].boolean() if name in fields else default


def _list(fields: dict[str, Field], name: str) -> list[Field]:
    return fields[name].items() if name in fields else []


def _scheme(fields: dict[str, Field]) -> str:
    scheme = _text(fields, "scheme", "http")
    if scheme not in ("http", "https"):
        raise fields["scheme"].error(f"must be http or https, not {scheme!r}")
    return scheme


def _params(fields: dict[str, Field]) -> dict[str, tuple[str, ...]]:
    if "params" not in fields:
        return {}
    return {
        name: tuple(value.text() for value in values.items())
        for name, values in fields["params"].mapping().items()
    }


def _authorization(fields: dict[str, Field]) -> str:
    if "authorization" not in fields:
        return ""
    parts = fields["authorization"].mapping(frozenset({"type", "credentials"}))
    if "credentials" not in parts:
        raise fields["authorization"].error("credentials is missing, ${NAME} reads a variable")
    return f"{_text(parts, 'type', 'Bearer')} {parts['credentials'].text()}"


def _static(fields: dict[str, Field]) -> tuple[TargetGroup, ...]:
    return tuple(
        target_group(entry, entry.path, frozenset({"targets", "labels"}))
        for entry in _list(fields, "static_configs")
    )


def target_group(entry: Field, source: str, known: frozenset[str]) -> TargetGroup:
    """Return one ``targets`` and ``labels`` mapping of a static or a discovered group."""
    parts = entry.mapping(known)
    targets = []
    for target in _list(parts, "targets"):
        if not target.text() or "/" in target.text():
            raise target.error(f"must be host:port, not {target.text()!r}")
        targets.append(target.text())
    labels = {}
    for name, value in parts["labels"].mapping().items() if "labels" in parts else ():
        if not _LABEL.fullmatch(name):
            raise value.error(f"{name!r} is not a label name")
        labels[name] = value.text()
    return TargetGroup(targets=tuple(targets), labels=labels, source=source)


def _file_discoveries(fields: dict[str, Field], directory: Path) -> tuple[FileDiscovery, ...]:
    found = []
    for entry in _list(fields, "file_sd_configs"):
        parts = entry.mapping(frozenset({"files", "refresh_interval"}))
        files = []
        for file in _list(parts, "files"):
            if not file.text().endswith((".json", ".yml", ".yaml")):
                raise file.error(f"must end in .json, .yml or .yaml, not {file.text()!r}")
            files.append(str(directory / file.text()))
        if not files:
            raise entry.error("files is missing or empty")
        refresh_ms = _duration(parts, "refresh_interval", 300_000)
        found.append(FileDiscovery(files=tuple(files), refresh_ms=refresh_ms))
    return tuple(found)


def _http_discoveries(fields: dict[str, Field]) -> tuple[HttpDiscovery, ...]:
    found = []
    for entry in _list(fields, "http_sd_configs"):
        parts = entry.mapping(frozenset({"url", "refresh_interval"}))
        url = _text(parts, "url", "")
        if not url.startswith(("http://", "https://")):
            raise parts.get("url", entry).error(f"url must begin with http:// or https://: {url!r}")
        refresh_ms = _duration(parts, "refresh_interval", 60_000)
        found.append(HttpDiscovery(url=url, refresh_ms=refresh_ms))
    return tuple(found)


def _limits(fields: dict[str, Field]) -> ScrapeLimits:
    given = {own: fields[name].whole() for name, own in _LIMITS.items() if name in fields}
    body_bytes = _DEFAULT_BODY_LIMIT
    if "body_size_limit" in fields:
        body_bytes = fields["body_size_limit"].size() or _DEFAULT_BODY_LIMIT
    return ScrapeLimits(body_bytes=body_bytes, **given)


def _rules(fields: dict[str, Field], name: str) -> tuple[RelabelRule, ...]:
    return tuple(_rule(entry) for entry in _list(fields, name))


def _rule(entry: Field) -> RelabelRule:
    parts = entry.mapping(_RULE)
    action = Action.REPLACE
    if "action" in parts:
        wanted = f"one of {', '.join(Action)}"
        action = parts["action"].converted(lambda text: Action(text.lower()), wanted)
    target = _text(parts, "target_label", "")
    modulus = parts["modulus"].whole() if "modulus" in parts else 0
    _check_rule(entry, parts, action, target, modulus)
    regex = RelabelRule().regex
    if "regex" in parts:
        regex = parts["regex"].converted(compile_regex, "a regular expression")
    return RelabelRule(
        action=action,
        source_labels=tuple(label.text() for label in _list(parts, "source_labels")),
        separator=_text(parts, "separator", ";"),
        regex=regex,
        modulus=modulus,
        target_label=target,
        replacement=_text(parts, "replacement", "$1"),
    )


_NEED_TARGET = frozenset(
    {Action.REPLACE, Action.HASH_MOD, Action.LOWERCASE, Action.UPPERCASE}
    | {Action.KEEP_EQUAL, Action.DROP_EQUAL}
)
_ONLY_REGEX = frozenset({Action.LABEL_DROP, Action.LABEL_KEEP})


def _check_rule(
    entry: Field, parts: dict[str, Field], action: Action, target: str, modulus: int
) -> None:
    if action in _NEED_TARGET and not target:
        raise entry.error(f"action {action} needs a target_label")
    if action is Action.HASH_MOD and modulus == 0:
        raise entry.error("action hashmod needs a modulus above 0")
    plain = action in _NEED_TARGET - {Action.REPLACE}
    if plain and not _LABEL.fullmatch(target):
        raise parts["target_label"].error(f"{target!r} is not a label name")
    if action in _ONLY_REGEX and set(parts) - {"action", "regex"}:
        extra = ", ".join(sorted(set(parts) - {"action", "regex"}))
        raise entry.error(f"action {action} takes only a regex, not {extra}")
