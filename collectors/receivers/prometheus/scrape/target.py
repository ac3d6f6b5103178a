"""One target: its labels and address after relabelling."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from collectors.receivers.prometheus.scrape.config import ScrapeJob, TargetGroup
from collectors.receivers.prometheus.scrape.relabel import relabel

_META = "__"
_PARAM = "__param_"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetAddress:
    """What to fetch and which labels its series get. ``key`` tells targets of a job apart.

    ``discovered`` are its labels before relabelling.
    """

    url: str
    labels: Mapping[str, str]
    discovered: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """Identity: the same address with the same labels is the same target."""
        return self.url, frozenset(self.labels.items())

    def offset_ms(self, interval_ms: int) -> int:
        """Return when within the interval this target is scraped, always the same, spread out."""
        digest = hashlib.blake2b(repr((self.url, sorted(self.labels.items()))).encode())
        return int.from_bytes(digest.digest()[:8], "big") % interval_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What became of the targets that were found.

    Attributes:
        kept: Those to scrape, each once.
        dropped: Labels, before relabelling, of those that it dropped.
    """

    kept: list[TargetAddress]
    dropped: list[Mapping[str, str]]


def relabelled(job: ScrapeJob, groups: Iterable[TargetGroup]) -> Discovered:
    """Return which targets of ``groups`` are to be scraped, and where."""
    kept = {}
    dropped: list[Mapping[str, str]] = []
    for group in groups:
        for target in group.targets:
            discovered = _discovered(job, target, group.labels)
            address = _address(job, discovered)
            if address is None:
                dropped.append(discovered)
            else:
                kept[address.key] = address
    return Discovered(kept=list(kept.values()), dropped=dropped)


def _discovered(job: ScrapeJob, target: str, group_labels: Mapping[str, str]) -> dict[str, str]:
    return {
        "job": job.name,
        "__scheme__": job.scheme,
        "__metrics_path__": job.metrics_path,
        **{_PARAM + name: values[0] for name, values in job.params.items() if values},
        **group_labels,
        "__address__": target,
    }


def _address(job: ScrapeJob, discovered: Mapping[str, str]) -> TargetAddress | None:
    kept = relabel(discovered, job.relabel)
    if kept is None or not kept.get("__address__"):
        return None
    params = {
        **{name: list(values) for name, values in job.params.items()},
        **{k.removeprefix(_PARAM): [v] for k, v in kept.items() if k.startswith(_PARAM)},
    }
    for name, values in job.params.items():
        if values[1:] and name in params:
            params[name] = [*params[name][:1], *values[1:]]
    query = urlencode(params, doseq=True)
    url = f"{kept.get('__scheme__', 'http')}://{kept['__address__']}"
    url += kept.get("__metrics_path__", "/metrics") + (f"?{query}" if query else "")
    public = {k: v for k, v in kept.items() if v and not k.startswith(_META)}
    public.setdefault("instance", kept["__address__"])
    return TargetAddress(url=url, labels=public, discovered=discovered)


def join_labels(
    exposed: Mapping[str, str], target: Mapping[str, str], honor_labels: bool
) -> dict[str, str]:
    """Return a series' labels together with its target's.

    Where both have a label, ``honor_labels`` lets the series win; otherwise the series' own becomes
    ``exported_…``, repeated until free, shortest names first.
    """
    labels = dict(exposed)
    if honor_labels:
        return {**target, **labels}
    clashing = sorted((name for name in labels if name in target), key=len)
    displaced = {name: labels.pop(name) for name in clashing}
    labels.update(target)
    for name, value in displaced.items():
        if not value:
            continue
        exported = f"exported_{name}"
        while exported in labels or exported in exposed:
            exported = f"exported_{exported}"
        labels[exported] = value
    return labels
