"""Where figures of services come from: expressions by what they are about and who tells them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tocsin.client.conventions import ANY, CONVENTIONS, Convention, Form, Side
from tocsin.client.stack_words import both, either, equals, matches, one_of, summed

MAX_SERVICES = 2_000
MAX_HEALTH_OPERATIONS = 5_000
MAX_HEALTH_EDGES = 5_000
_ENTRIES = (Side.SERVED, Side.CONSUMED)
# Exporters count requests for their own pages, and what kernels and clusters count: no service's.
_OWN_PAGES = r"(promhttp|prometheus|scrape|node|windows|container|kubelet|kube)_.*"


class About(StrEnum):
    """What figures are about."""

    SERVICE = "service"
    REGION = "region"
    OPERATION = "operation"
    EDGE = "edge"


LIMITS = {
    About.SERVICE: MAX_SERVICES,
    About.REGION: MAX_SERVICES,
    About.OPERATION: MAX_HEALTH_OPERATIONS,
    About.EDGE: MAX_HEALTH_EDGES,
}
"""Most of each that are watched from one source; of more, those that are gone give way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One way to know requests, failures and durations of something.

    Attributes:
        name: Unique.
        told_by: Who tells it, for people.
        about: What it is about.
        keys: Tags that tell one from another: the service's first, then the region's, the
            operation's or the callee's.
        requests: Expression of requests a second.
        failures: Of those that failed; no line for who never failed.
        seconds: Of the seconds that they took together, a second; empty when nobody tells.
        telling: Of requests whose failures can be told; empty when all can.
        observed: Of requests that were seen, where each may stand for several; empty if none does.
    """

    name: str
    told_by: str
    about: About
    keys: tuple[str, ...]
    requests: str
    failures: str
    seconds: str = ""
    telling: str = ""
    observed: str = ""

    @property
    def expressions(self) -> tuple[str, ...]:
        """All that it asks."""
        every = (self.requests, self.failures, self.seconds, self.telling, self.observed)
        return tuple(one for one in every if one)


def sources() -> tuple[Source, ...]:
    """Return every source; where several know a service, the first is shown."""
    return (*_of_opentelemetry(), *_of_prometheus(), *_of_spans())


SATURATION = (
    "process.cpu.utilization",
    "jvm.cpu.recent_utilization",
    "process.runtime.cpython.cpu.utilization",
    "nodejs.eventloop.utilization",
    "k8s.container.cpu_limit_utilization",
    "k8s.container.memory_limit_utilization",
    "container.cpu.limit.utilization",
)
"""Gauges between 0 and 1 that say how full an instance of a service is."""


def saturation() -> str:
    """Return the expression of how full the fullest instance of each service is."""
    return f"{one_of('name', SATURATION)},:max,(,service.name,),:by"


# -- spans ----------------------------------------------------------------------------------------


def _of_spans() -> Iterator[Source]:
    for about, keys in (
        (About.SERVICE, ("service",)),
        (About.REGION, ("service", "region")),
        (About.OPERATION, ("service", "operation")),
    ):
        yield _counted(about, "spans", keys, "spans.served", "spans.failed")
    edge = ("service", "callee")
    yield _counted(About.EDGE, "spans", edge, "spans.called", "spans.callsFailed")


def _counted(about: About, told_by: str, keys: tuple[str, ...], name: str, failed: str) -> Source:
    named = equals("name", name)
    return Source(
        name=f"{told_by}/{about}",
        told_by=told_by,
        about=about,
        keys=keys,
        requests=summed(both(named, equals("statistic", "count")), *keys),
        failures=summed(both(equals("name", failed), equals("statistic", "count")), *keys),
        seconds=summed(both(named, equals("statistic", "totalTime")), *keys),
        observed=summed(both(named, equals("statistic", "observed")), *keys),
    )


# -- metrics by OpenTelemetry's conventions -------------------------------------------------------


def _of_opentelemetry() -> Iterator[Source]:
    entries = [one for one in _conventions(Form.HISTOGRAM) if one.side in _ENTRIES]
    for about, keys in (
        (About.SERVICE, ("service.name",)),
        (About.REGION, ("service.name", "cloud.region")),
        (About.OPERATION, ("service.name", "http.route")),
    ):
        named = either(*(_named(one) for one in entries))
        failed = either(*(both(_named(one), _failed(one)) for one in entries))
        count = equals("statistic", "count")
        yield Source(
            name=f"opentelemetry/{about}",
            told_by="metrics",
            about=about,
            keys=keys,
            requests=summed(both(named, count), *keys),
            failures=summed(both(failed, count), *keys),
            seconds=summed(both(named, equals("statistic", "totalTime")), *keys),
        )


# -- metrics in Prometheus's manner ---------------------------------------------------------------


def _of_prometheus() -> Iterator[Source]:
    for form in (Form.CLASSIC, Form.COUNTER):
        every = _conventions(form)
        entries = [one for one in every if one.side in _ENTRIES]
        others = [one for one in every if one.side not in _ENTRIES]
        # The first convention that matches counts: what calls others is no request to oneself.
        foreign = either(*(_named(one) for one in others), matches("name", f"{_OWN_PAGES}$"))
        named = either(*(_named(one) for one in entries))
        own = f"{named},{foreign},:not,:and"
        told = sorted({key for one in entries for key in one.told})
        telling = both(own, either(*(f"{key},:has" for key in told)))
        failed = either(*(both(_named(one), _failed(one)) for one in entries))
        seconds = ""
        if form is Form.CLASSIC:
            # The same names, but for their ends.
            seconds = own.replace("_seconds_count)$", "_seconds_sum)$")
        yield Source(
            name=f"prometheus-{form}",
            told_by="metrics",
            about=About.SERVICE,
            keys=("job",),
            requests=summed(own, "job"),
            failures=summed(f"{failed},{foreign},:not,:and", "job"),
            seconds=summed(seconds, "job") if seconds else "",
            telling=summed(telling, "job"),
        )


def _conventions(form: Form) -> list[Convention]:
    return [one for one in CONVENTIONS if one.form is form]


def _named(one: Convention) -> str:
    """Return the query for the names of a convention, whole: the language matches beginnings."""
    return matches("name", f"({one.pattern})$")


def _failed(one: Convention) -> str:
    return either(*(f"{key},:has" if how == ANY else matches(key, how) for key, how in one.failed))
