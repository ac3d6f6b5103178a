"""Reading indicators: SLI documents, inline indicators and their metric sources."""

from __future__ import annotations

from anomaly.documents import Node
from anomaly.fields import Section, boolean, description, nonempty, one_of
from anomaly.slo.documents.headers import metadata, name
from anomaly.slo.documents.openslo import MetricSource, RatioMetric, Sli


def inline_sli(node: Node, *, strict: bool) -> Sli:
    """Read an indicator that stands inside an SLO."""
    section = Section(node)
    if not strict:
        section.optional("apiVersion", one_of("openslo/v1"))
        section.optional("kind", one_of("SLI"))
    result = sli(section, strict=strict)
    section.finish()
    return result


def sli(document: Section, *, strict: bool) -> Sli:
    """Read ``metadata`` and ``spec`` of an SLI."""
    meta = document.required("metadata", lambda n: metadata(n, strict=strict))
    spec = document.required("spec", Section)
    words = spec.optional("description", description) or ""
    threshold = spec.optional("thresholdMetric", _metric)
    ratio = spec.optional("ratioMetric", lambda n: _ratio(n, strict=strict))
    spec.finish()
    if (threshold is None) == (ratio is None):
        spec.node.fail("exactly one of thresholdMetric and ratioMetric must be given")
    return Sli(metadata=meta, description=words, threshold=threshold, ratio=ratio)


def _metric(node: Node) -> MetricSource:
    section = Section(node)
    source = section.required("metricSource", _source)
    section.finish()
    return source


def _source(node: Node) -> MetricSource:
    section = Section(node)
    spec = section.required("spec", Section)
    if not spec.names():
        spec.node.fail("must name at least one field of the source")
    result = MetricSource(
        source_ref=section.optional("metricSourceRef", lambda n: name(n, strict=False)),
        type=section.optional("type", nonempty),
        spec={key: spec.required(key, lambda n: n) for key in spec.names()},
        node=node,
    )
    section.finish()
    return result


def _ratio(node: Node, *, strict: bool) -> RatioMetric:
    section = Section(node)
    counter = section.optional("counter", boolean)
    if strict and counter is None and "raw" not in section:
        section.fail("counter", "is required")
    result = RatioMetric(
        counter=bool(counter),
        good=section.optional("good", _metric),
        bad=section.optional("bad", _metric),
        total=section.optional("total", _metric),
        raw=section.optional("raw", _metric),
        raw_type=section.optional("rawType", one_of("success", "failure")),
    )
    section.finish()
    _check_ratio(section, result)
    return result


def _check_ratio(section: Section, ratio: RatioMetric) -> None:
    if ratio.raw is not None:
        if ratio.good or ratio.bad or ratio.total:
            section.fail("raw", "can't stand beside good, bad or total")
        if ratio.raw_type is None:
            section.fail("rawType", "is required with raw: success or failure")
        return
    if ratio.raw_type is not None:
        section.fail("rawType", "has no meaning without raw")
    if ratio.total is None:
        section.fail("total", "is required")
    if (ratio.good is None) == (ratio.bad is None):
        section.node.fail("exactly one of good and bad must be given")
