"""The scrape configuration: everything that it can say, and errors with file, line and field."""

from pathlib import Path

import pytest

from collectors.errors import DocumentError
from collectors.receivers.prometheus.scrape.config import load_scrape_config

FULL = """
global:
  scrape_interval: 30s
scrape_configs:
  - job_name: catalogue
    scrape_interval: 5s
    scrape_timeout: 500ms
    metrics_path: /m
    scheme: https
    params: {module: [http_2xx, other]}
    honor_labels: true
    honor_timestamps: false
    authorization: {credentials: "${TOKEN}"}
    body_size_limit: 10MB
    sample_limit: 100
    static_configs:
      - targets: [localhost:8000, "127.0.0.1:8001"]
        labels: {cloud_region: us-east-1}
    file_sd_configs:
      - files: ["discovery/*.json"]
        refresh_interval: 1m
    http_sd_configs:
      - url: http://127.0.0.1:9/targets
    relabel_configs:
      - source_labels: [__address__]
        regex: "(.*):.*"
        target_label: host
    metric_relabel_configs:
      - {action: labeldrop, regex: "tmp_.*"}
  - job_name: plain
"""


def test_a_full_document(tmp_path: Path) -> None:
    """A field that Prometheus knows would be read wrongly or not at all."""
    path = tmp_path / "scrape.yaml"
    path.write_text(FULL)
    job, plain = load_scrape_config(path, {"TOKEN": "s3cret"}).jobs
    assert (job.interval_ms, job.timeout_ms) == (5_000, 500)
    assert (plain.interval_ms, plain.timeout_ms) == (30_000, 10_000)
    assert (job.metrics_path, job.scheme) == ("/m", "https")
    assert job.params == {"module": ("http_2xx", "other")}
    assert (job.honor_labels, job.honor_timestamps) == (True, False)
    assert job.authorization == "Bearer s3cret"
    assert (job.limits.body_bytes, job.limits.samples) == (10 << 20, 100)
    assert job.static[0].targets == ("localhost:8000", "127.0.0.1:8001")
    assert job.static[0].labels == {"cloud_region": "us-east-1"}
    assert job.files[0].files == (str(tmp_path / "discovery/*.json"),)
    assert job.http[0].url == "http://127.0.0.1:9/targets"
    assert job.relabel[0].target_label == "host"
    assert job.metric_relabel[0].action == "labeldrop"
    assert plain.static == ()


@pytest.mark.parametrize(
    ("lines", "line", "field", "message"),
    [
        ("job_name: ''", 2, "scrape_configs[0].job_name", "must not be empty"),
        ("job_name: a\n    speed: 5", 3, "scrape_configs[0].speed", "unknown field"),
        ("job_name: a\n    scrape_interval: fast", 3, "scrape_configs[0].scrape_interval", "15s"),
        ("job_name: a\n    scrape_interval: 0s", 3, "scrape_configs[0].scrape_interval", "15s"),
        ("job_name: a\n    scrape_timeout: 2m", 3, "scrape_configs[0].scrape_timeout", "longer"),
        ("job_name: a\n    scheme: ftp", 3, "scrape_configs[0].scheme", "one of http, https"),
        ("job_name: a\n    honor_labels: 3", 3, "scrape_configs[0].honor_labels", "true or false"),
        ("job_name: a\n    sample_limit: -1", 3, "scrape_configs[0].sample_limit", "whole number"),
        ("job_name: a\n    body_size_limit: 1x", 3, "scrape_configs[0].body_size_limit", "10MB"),
        ("job_name: a\n    static_configs: {}", 3, "scrape_configs[0].static_configs", "a list"),
        (
            "job_name: a\n    static_configs:\n    - targets: ['http://x/']",
            4,
            "scrape_configs[0].static_configs[0].targets[0]",
            "host:port",
        ),
        (
            "job_name: a\n    file_sd_configs: [{files: [x.txt]}]",
            3,
            "scrape_configs[0].file_sd_configs[0].files[0]",
            ".json",
        ),
        (
            "job_name: a\n    http_sd_configs: [{url: here}]",
            3,
            "scrape_configs[0].http_sd_configs[0].url",
            "http://",
        ),
        (
            "job_name: a\n    relabel_configs:\n    - {action: explode}",
            4,
            "scrape_configs[0].relabel_configs[0].action",
            "one of replace, keep",
        ),
        (
            "job_name: a\n    relabel_configs:\n    - {regex: '(', target_label: b}",
            4,
            "scrape_configs[0].relabel_configs[0].regex",
            "regular expression",
        ),
        (
            "job_name: a\n    relabel_configs:\n    - {action: hashmod, target_label: b}",
            4,
            "scrape_configs[0].relabel_configs[0]",
            "modulus",
        ),
        (
            "job_name: a\n    relabel_configs:\n    - {action: labeldrop, target_label: b}",
            4,
            "scrape_configs[0].relabel_configs[0]",
            "only a regex",
        ),
        (
            "job_name: a\n    authorization: {credentials: '${NOT_SET}'}",
            3,
            "scrape_configs[0].authorization.credentials",
            "NOT_SET",
        ),
        ("job_name: a\n  - job_name: a", 3, "scrape_configs[1]", "used twice"),
    ],
)
def test_errors_name_file_line_and_field(
    tmp_path: Path, lines: str, line: int, field: str, message: str
) -> None:
    """An operator would have to search for the mistake."""
    path = tmp_path / "scrape.yaml"
    path.write_text(f"scrape_configs:\n  - {lines}\n")
    with pytest.raises(DocumentError, match=r"scrape\.yaml") as caught:
        load_scrape_config(path, {})
    assert (caught.value.line, caught.value.field) == (line, field)
    assert message in caught.value.reason


@pytest.mark.parametrize("text", ["", "[", "a: b: c", "- 1", "\x00", "x: &a [*a]"])
def test_a_broken_file_is_a_document_error(tmp_path: Path, text: str) -> None:
    """A broken file would be an internal error at start."""
    path = tmp_path / "scrape.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError):
        load_scrape_config(path, {})
    with pytest.raises(DocumentError, match="can't be read"):
        load_scrape_config(tmp_path / "absent.yaml", {})
