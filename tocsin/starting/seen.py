"""Which services a server has seen, and by which metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from collectors.errors import ConfigError
from tocsin.client.shapes import ServiceMap

SERVICE, JOB = "service.name", "job"
"""Tags that name a service: OpenTelemetry's, and Prometheus's."""

_FAR_MS = 253_402_300_799_999
_MAX_NAMED = 20


class Server(Protocol):
    """What of :class:`tocsin.client.client.ApiClient` is asked."""

    def tags(self, key: str | None = None, *, query: str | None = None) -> list[str]:
        """Return tag keys, or values of one, of series that match."""
        ...

    def services(self, *, start_ms: int, end_ms: int) -> ServiceMap:
        """Return the services in traces."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A service as a server has seen it.

    Attributes:
        service: Its name.
        key: The tag that carries it.
        metrics: Names of its metrics.
        other_services: Names of the others.
    """

    service: str
    key: str
    metrics: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """All its series, in the stack language."""
        return f"{self.key},{self.service},:eq"

    def of(self, metric: str) -> str:
        """Return the series of one of its metrics."""
        return f"name,{metric},:eq,{self.query},:and"


def service_names(server: Server) -> Sequence[str]:
    """Return the services that metrics or traces name."""
    mapped = server.services(start_ms=0, end_ms=_FAR_MS)["services"]
    return sorted({*server.tags(SERVICE), *server.tags(JOB), *mapped})


def look(server: Server, service: str | None) -> Seen:
    """Return what is known of ``service``, or of the only one if None.

    Raises:
        ConfigError: There is none, there are several, or it has no metrics; with what to do.
    """
    known = service_names(server)
    if service is None:
        if len(known) != 1:
            raise ConfigError(_choose(known))
        service = known[0]
    if service not in known:
        raise ConfigError(f"no service {service!r} has been seen. {_choose(known)}")
    if set(service) & set(",:() "):
        raise ConfigError(
            f"the service {service!r} has characters that an expression can't hold: give it a name "
            "of letters, digits, dashes and dots (OTEL_SERVICE_NAME, or job_name)"
        )
    for key in (SERVICE, JOB):
        metrics = server.tags("name", query=f"{key},{service},:eq")
        if metrics:
            others = tuple(name for name in known if name != service)
            return Seen(service=service, key=key, metrics=tuple(metrics), others=others)
    raise ConfigError(
        f"{service} has sent traces and no metrics, and objectives count metrics: let it export "
        "them too (OTEL_METRICS_EXPORTER=otlp), or scrape it"
    )


def _choose(known: Sequence[str]) -> str:
    if not known:
        return (
            "No service has been seen yet: point one here first (docs/how-to/"
            "point-your-services-here.md); `tocsin doctor` says what is received"
        )
    shown = ", ".join(known[:_MAX_NAMED]) + (", …" if len(known) > _MAX_NAMED else "")
    return f"Name one with --service: {shown}"
