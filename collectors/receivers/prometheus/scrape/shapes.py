"""The shape of ``scrape.yaml`` and of files of targets, in Prometheus's form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from collectors.documents.section import Context, Section, WrongValueError
from collectors.documents.values import (
    Count,
    DurationMs,
    Flag,
    Size,
    Words,
    Written,
    at_least_one,
    matching,
    one_of,
)
from collectors.errors import DocumentError
from collectors.receivers.prometheus.scrape.relabel import Action, compile_regex

# Dots are not classic, but OpenTelemetry names such as cloud.region have them.
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]*")
_NEED_TARGET = frozenset(
    {Action.REPLACE, Action.HASH_MOD, Action.LOWERCASE, Action.UPPERCASE}
    | {Action.KEEP_EQUAL, Action.DROP_EQUAL}
)
_ONLY_REGEX = frozenset({Action.LABEL_DROP, Action.LABEL_KEEP})


def _regex(pattern: str) -> str:
    try:
        compile_regex(pattern)
    except ValueError as error:
        raise WrongValueError("a regular expression", str(error)) from error
    return pattern


Address = Annotated[Written, matching(r"[^/]+", "host:port")]
TargetFile = Annotated[
    Written, matching(r"(?s).*\.(json|yml|yaml)", "a file that ends in .json, .yml or .yaml")
]
Url = Annotated[
    Written, matching(r"(?s)https?://.*", "an address that begins with http:// or https://")
]
Regex = Annotated[Written, AfterValidator(_regex)]


class TargetGroupShape(Section):
    """Addresses with labels that all of them get."""

    targets: tuple[Address, ...] = ()
    """Each as `host:port`."""
    labels: dict[str, Written] = {}
    """Labels of every series from there."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield labels without a proper name."""
        del context
        for name in self.labels:
            if not _LABEL.fullmatch(name):
                yield self.at("labels", name).error(f"{name!r} is not a label name")


class RelabelShape(Section):
    """One step of relabelling."""

    action: Annotated[Action, one_of(tuple(Action), fold=True)] = Action.REPLACE
    """What to do."""
    source_labels: tuple[Written, ...] = ()
    """Labels whose values are joined and matched."""
    separator: Written = ";"
    """Stands between the joined values."""
    regex: Regex | None = None
    """Matches the whole of the joined values; everything by default."""
    modulus: Count = 0
    """For `hashmod`."""
    target_label: Written = ""
    """The label that is set."""
    replacement: Written = "$1"
    """Its new value."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what the action lacks or can't use."""
        del context
        if self.action in _NEED_TARGET and not self.target_label:
            yield self.place.error(f"action {self.action} needs a target_label")
        elif self._needs_a_name() and not _LABEL.fullmatch(self.target_label):
            yield self.at("target_label").error(f"{self.target_label!r} is not a label name")
        if self.action is Action.HASH_MOD and self.modulus == 0:
            yield self.place.error("action hashmod needs a modulus above 0")
        extra = ", ".join(sorted(set(self.names()) - {"action", "regex"}))
        if self.action in _ONLY_REGEX and extra:
            yield self.place.error(f"action {self.action} takes only a regex, not {extra}")

    def _needs_a_name(self) -> bool:
        """Whether the target is a label as it stands, without parts of what was matched."""
        return self.action in _NEED_TARGET - {Action.REPLACE}


class AuthorizationShape(Section):
    """The header `Authorization` of every scrape."""

    type: Written = "Bearer"
    """The scheme."""
    credentials: Written
    """What follows it; `${NAME}` reads a variable of the environment."""


class FileDiscoveryShape(Section):
    """Files of target groups, read again when they change."""

    files: Annotated[tuple[TargetFile, ...], at_least_one("must name a file")]
    """Paths from here; the last part may be a pattern such as `*.json`."""
    refresh_interval: DurationMs = 300_000
    """How often to look."""


class HttpDiscoveryShape(Section):
    """An address that answers target groups as JSON."""

    url: Url
    """Where to ask."""
    refresh_interval: DurationMs = 60_000
    """How often to ask."""


class JobShape(Section):
    """Targets that are scraped in the same way."""

    job_name: Words
    """Becomes the label `job`; each only once."""
    scrape_interval: DurationMs | None = None
    """How often; that of `global` by default."""
    scrape_timeout: DurationMs | None = None
    """Not longer than the interval; that of `global` by default."""
    metrics_path: Written = "/metrics"
    """Path of the page."""
    scheme: Annotated[Literal["http", "https"], one_of(("http", "https"))] = "http"
    """How to speak."""
    params: dict[str, tuple[Written, ...]] = {}
    """Parameters of the query string."""
    honor_labels: Flag = False
    """Whether the page's own labels win over the target's."""
    honor_timestamps: Flag = True
    """Whether the page's times count."""
    authorization: AuthorizationShape | None = None
    """The header, if one is needed."""
    static_configs: tuple[TargetGroupShape, ...] = ()
    """Targets that stand here."""
    file_sd_configs: tuple[FileDiscoveryShape, ...] = ()
    """Targets that stand in files."""
    http_sd_configs: tuple[HttpDiscoveryShape, ...] = ()
    """Targets that somebody else knows."""
    relabel_configs: tuple[RelabelShape, ...] = ()
    """Changes of a target's labels before it is scraped."""
    metric_relabel_configs: tuple[RelabelShape, ...] = ()
    """Changes of a series' labels before it is kept."""
    body_size_limit: Size | None = None
    """Largest page; 64MB by default. A scrape above a limit fails whole."""
    sample_limit: Count = 0
    """Most samples of a page; 0 is no limit, here and below."""
    label_limit: Count = 0
    """Most labels of a series."""
    label_name_length_limit: Count = 0
    """Longest name of a label."""
    label_value_length_limit: Count = 0
    """Longest value of a label."""
    target_limit: Count = 0
    """Most targets of the job."""


class GlobalShape(Section):
    """What holds for jobs that don't say otherwise."""

    scrape_interval: DurationMs = 60_000
    """How often to scrape."""
    scrape_timeout: DurationMs = 10_000
    """How long a scrape may take."""


class ScrapeFile(Section):
    """`scrape.yaml`: which pages of metrics to read, in Prometheus's form."""

    general: GlobalShape | None = Field(None, alias="global")
    """What holds for jobs that don't say otherwise."""
    scrape_configs: tuple[JobShape, ...] = ()
    """The jobs."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield jobs of the same name and those whose timeout is longer than their interval."""
        del context
        seen: set[str] = set()
        for index, job in enumerate(self.scrape_configs):
            if job.job_name in seen:
                place = self.at("scrape_configs", index)
                yield place.error(f"job_name {job.job_name!r} is used twice")
            seen.add(job.job_name)
            interval_ms = self.interval_ms(job)
            if job.scrape_timeout is not None and job.scrape_timeout > interval_ms:
                longer = f"longer than the scrape_interval of {interval_ms} ms"
                yield job.at("scrape_timeout").error(f"{job.scrape_timeout} ms is {longer}")

    def interval_ms(self, job: JobShape) -> int:
        """Return how often a job is scraped."""
        general = self.general.scrape_interval if self.general else 60_000
        return job.scrape_interval or general

    def timeout_ms(self, job: JobShape) -> int:
        """Return how long a scrape of a job may take."""
        general = self.general.scrape_timeout if self.general else 10_000
        return job.scrape_timeout or min(general, self.interval_ms(job))
