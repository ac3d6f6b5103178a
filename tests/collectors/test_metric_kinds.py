"""Which kind a metric's name and type imply."""

import pytest

from collectors.metric_kinds import MetricType, typed_kind


@pytest.mark.parametrize(
    ("name", "metric_type", "kind"),
    [
        ("hits", MetricType.COUNTER, "counter"),
        ("hits_total", MetricType.GAUGE, "gauge"),
        ("hits_total", MetricType.UNKNOWN, "counter"),
        ("lat_bucket", MetricType.HISTOGRAM, "counter"),
        ("lat_bucket", MetricType.SUMMARY, "gauge"),
        ("lat_sum", MetricType.SUMMARY, "counter"),
        ("lat_bucket", MetricType.GAUGE_HISTOGRAM, "gauge"),
        ("\0", MetricType.GAUGE, "gauge"),
        ("odd\0", MetricType.GAUGE_HISTOGRAM, "gauge"),
        ("hits", 8, "gauge"),
    ],
)
def test_a_type_says_the_kind_of_every_name(name: str, metric_type: int, kind: str) -> None:
    """A gauge of an odd name would be taken for a counter, and show rates instead of its values."""
    assert typed_kind(name, metric_type) == kind
