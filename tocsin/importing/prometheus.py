"""``prometheus.yml`` as ``scrape.yaml`` and ``prometheus-rules/``. Pure but for reading files.

What this server does not do as Prometheus does is never dropped in silence: each thing that is left
out is told, with its place and what to do instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

import yaml

from anomaly.prometheus_rules.loading import files_matching, load_file
from collectors.documents.composing import compose
from collectors.documents.nodes import Items, Node, Place, Scalar, Table
from collectors.documents.reading import SUFFIXES, text_of, validated
from collectors.errors import DocumentError
from collectors.receivers.prometheus.scrape.shapes import JobShape, ScrapeFile

_GLOBAL = ("scrape_interval", "scrape_timeout")
_SOURCES = ("static_configs", "file_sd_configs", "http_sd_configs")
_INSTEAD = {
    "alerting": "alerts go to people by routes.yaml here; an Alertmanager is not told",
    "remote_write": "nothing is sent on; ask this server by PromQL or remote read",
    "remote_read": "no other server is asked",
    "storage": "see the settings hot_window and history",
    "tracing": "this server's own traces are not exported",
    "otlp": "OTLP is received without any configuration",
    "scrape_config_files": "only the jobs of the main file are taken",
    "external_labels": "series get no further labels, and $externalLabels of templates is empty",
    "evaluation_interval": "groups that name no interval are evaluated in every step",
    "rule_query_offset": "write query_offset into the groups that need one",
    "query_log_file": "running queries are listed by tocsin queries",
    "basic_auth": "the job is taken without it, and refused if its targets insist",
    "tls_config": "the job is taken without it: certificates must be trusted by this machine",
    "bearer_token": "write authorization: {credentials: ${NAME}} into the job",
    "bearer_token_file": "write authorization: {credentials: ${NAME}} into the job",
    "oauth2": "the job is taken without it, and refused if its targets insist",
    "proxy_url": "targets are asked directly",
    "scrape_protocols": "what a target offers is chosen by this server",
}
_DISCOVERY = re.compile(r".*_sd_configs$")
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*")


@dataclass(slots=True, kw_only=True)
class Taken:
    """What was made of a ``prometheus.yml``.

    Attributes:
        files: Texts by their path below the configuration directory.
        jobs: Names of the jobs that were taken.
        groups: How many groups of rules were.
        lost: What was left out, each with its place.
    """

    files: dict[str, str] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)
    groups: int = 0
    lost: list[str] = field(default_factory=list)


def taken_over(path: Path) -> Taken:
    """Return a ``prometheus.yml`` as files of ours.

    Raises:
        DocumentError: It can't be read.
    """
    composed = compose(text_of(path), str(path))
    if len(composed.nodes) != 1 or not isinstance(composed.nodes[0], Table):
        raise Place(file=str(path), line=1).error("is no prometheus.yml: a mapping of fields")
    document = composed.nodes[0]
    taken = Taken()
    taken.lost += [error.message for error in composed.errors]
    general = _general(document, taken)
    jobs = [*_jobs(document, general, path.parent, taken)]
    if jobs:
        scrape = (
            {"global": general, "scrape_configs": jobs} if general else {"scrape_configs": jobs}
        )
        taken.files["scrape.yaml"] = yaml.safe_dump(scrape, sort_keys=False, allow_unicode=True)
    _take_rules(document, path.parent, taken)
    for name in document:
        if name not in ("global", "scrape_configs", "rule_files"):
            _lose(taken, document, name)
    return taken


def _general(document: Table, taken: Taken) -> dict[str, Any]:
    given = document.get("global")
    if not isinstance(given, Table):
        return {}
    for name in given:
        if name not in _GLOBAL:
            _lose(taken, given, name)
    return {name: _plain(given[name]) for name in _GLOBAL if name in given}


# -- scraping ------------------------------------------------------------------------------------


def _jobs(
    document: Table, general: Mapping[str, Any], directory: Path, taken: Taken
) -> Iterator[dict[str, Any]]:
    given = document.get("scrape_configs")
    for job in given if isinstance(given, Items) else ():
        if not isinstance(job, Table):
            continue
        made = _job(job, directory, taken)
        name = str(made.get("job_name", ""))
        if not any(made.get(source) for source in _SOURCES):
            taken.lost.append(_told(job.place, f"job {name!r} has no targets that are known here"))
            continue
        wrong = "its name is taken" if name in taken.jobs else _mistakes(made, general)
        if wrong:
            taken.lost.append(_told(job.place, f"job {name!r} is left out: {wrong}"))
            continue
        taken.jobs.append(name)
        yield made


def _job(job: Table, directory: Path, taken: Taken) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, node in job.items():
        if name not in JobShape.model_fields:
            _lose(taken, job, name)
            continue
        made[name] = _plain(node)
        if _VARIABLE.search(repr(made[name])):
            told = f"{name} holds ${{…}}, which is read from the environment here: check it"
            taken.lost.append(_told(job.key_place(name), told))
    for discovery in _mappings(made.get("file_sd_configs")):
        files = discovery.get("files")
        if isinstance(files, list):
            discovery["files"] = [str((directory / str(file)).resolve()) for file in files]
    _without_unknown(made, job, taken)
    return made


def _without_unknown(made: dict[str, Any], job: Table, taken: Taken) -> None:
    """Leave out what parts of a job have that is not known here."""
    for name in ("authorization", "http_sd_configs", "file_sd_configs"):
        known = {
            "authorization": {"type", "credentials"},
            "http_sd_configs": {"url", "refresh_interval"},
            "file_sd_configs": {"files", "refresh_interval"},
        }[name]
        for one in _mappings(made.get(name)):
            for extra in [key for key in one if key not in known]:
                del one[extra]
                place = job.key_place(name).below(extra)
                taken.lost.append(_told(place, "is left out: not known here"))
    if any("credentials" not in one for one in _mappings(made.get("authorization"))):
        del made["authorization"]


def _mappings(value: Any) -> list[dict[str, Any]]:
    """Return a mapping, or those of a list; what is none is refused with its job."""
    several = value if isinstance(value, list) else [value]
    return [one for one in several if isinstance(one, dict)]


def _mistakes(job: Mapping[str, Any], general: Mapping[str, Any]) -> str:
    """Return what is wrong with a job, as this server reads it."""
    text = yaml.safe_dump({"global": dict(general), "scrape_configs": [dict(job)]})
    try:
        validated(compose(text, "scrape.yaml").nodes[0], ScrapeFile)
    except DocumentError as error:
        return "; ".join(one.reason for one in error.each())
    return ""


# -- rules ---------------------------------------------------------------------------------------


def _take_rules(document: Table, directory: Path, taken: Taken) -> None:
    given, seen = document.get("rule_files"), set[Path]()
    for pattern in given if isinstance(given, Items) else ():
        if not isinstance(pattern, Scalar):
            continue
        found = files_matching(directory, pattern.text)
        if not found:
            told = f"no file matches {pattern.text!r}"
            taken.lost.append(_told(pattern.place, told))
        for path in found:
            if path.resolve() not in seen:  # two patterns may match one file
                _take_file(path, taken)
            seen.add(path.resolve())


def _take_file(path: Path, taken: Taken) -> None:
    try:
        groups = load_file(path)
    except DocumentError as error:
        taken.lost += [f"{one.message} (the whole file is left out)" for one in error.each()]
        return
    taken.files[_target(path, taken)] = text_of(path)
    taken.groups += len(groups)


def _target(path: Path, taken: Taken) -> str:
    """Return a path for a rule file that no other one has."""
    name = path.name if path.suffix in SUFFIXES else f"{path.name}.yml"
    several = (f"{path.parent.name}-{number}-{name}" for number in count(2))
    names = (name, f"{path.parent.name}-{name}", *islice(several, len(taken.files) + 1))
    return next(
        target
        for target in (f"prometheus-rules/{each}" for each in names)
        if target not in taken.files
    )


# -- telling -------------------------------------------------------------------------------------


def _lose(taken: Taken, table: Table, name: str) -> None:
    instead = _INSTEAD.get(name)
    if instead is None and _DISCOVERY.fullmatch(name):
        instead = "targets are known here from static_configs, file_sd_configs, http_sd_configs"
    told = f"is left out: {instead or 'not known here'}"
    taken.lost.append(_told(table.key_place(name), told))


def _told(place: Place, message: str) -> str:
    return place.error(message).message


def _plain(node: Node) -> Any:
    """Return a node as plain values, every text as it was written."""
    if isinstance(node, Table):
        return {name: _plain(below) for name, below in node.given().items()}
    if isinstance(node, Items):
        return [_plain(below) for below in node]
    return node.text if isinstance(node, Scalar) else None
