"""A real server that demands tokens: official exporters, commands, and a token that ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx2
import orjson
import pytest
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
    OTLPMetricExporter as GrpcExporter,
)
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    MetricExporter,
    MetricExportResult,
)

from tests.tocsin.test_serve import Server, server

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.patient]


def tocsin(directory: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the server's data directory."""
    return subprocess.run(
        [sys.executable, "-m", "tocsin", *words],
        env={**os.environ, "TOCSIN_DATA_DIR": str(directory), **environment},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


def secret_for(directory: Path, role: str) -> str:
    made = tocsin(directory, "token", "create", f"the-{role}", "--role", role, "--json")
    return str(orjson.loads(made.stdout)["secret"])


def sent(running: Server, over: str, secret: str) -> bool:
    """Send a counter by an official exporter; return whether it was taken."""
    headers = {"authorization": f"Bearer {secret}"}
    if over == "http":
        url = f"{running.addresses['otlp_http']}/v1/metrics"
        exporter: MetricExporter = OTLPMetricExporter(endpoint=url, headers=headers, timeout=5)
    else:
        url = running.addresses["otlp_grpc"]
        exporter = GrpcExporter(endpoint=url, headers=headers, insecure=True, timeout=5)
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    provider.get_meter("m").create_counter("jobs").add(1)
    data = reader.get_metrics_data()
    assert data is not None
    result = exporter.export(data)
    exporter.shutdown()
    provider.shutdown()
    return result is MetricExportResult.SUCCESS


def test_who_has_a_token_may(tmp_path: Path) -> None:
    """Each protocol, each role, and at once no more when it is revoked."""
    sender, viewer, admin = (secret_for(tmp_path, role) for role in ("sender", "viewer", "admin"))
    with server(tmp_path, TOCSIN_ACCESS="tokens") as running:
        for over in ("http", "grpc"):
            assert [sent(running, over, secret) for secret in (sender, viewer, "tcs_no")] == [
                True,
                False,
                False,
            ]
        api = running.addresses["api"]
        assert httpx2.get(f"{api}/health", trust_env=False).json() == {"status": "ok"}

        asked = {"TOCSIN_API_URL": api}
        refused = tocsin(tmp_path, "metrics", **asked)
        assert refused.returncode == 1
        assert "a token is needed" in refused.stderr
        assert tocsin(tmp_path, "metrics", **asked, TOCSIN_API_TOKEN=viewer).returncode == 0
        audit = tocsin(tmp_path, "audit", "--json", **asked, TOCSIN_API_TOKEN=admin)
        assert {entry["who"] for entry in orjson.loads(audit.stdout)} >= {"the-viewer"}

        listed = tocsin(tmp_path, "token", "list")
        assert sender not in listed.stdout
        assert tocsin(tmp_path, "token", "revoke", "the-sender").returncode == 0
        assert not sent(running, "http", sender)
    assert "every request needs a token" in running.complaint


def test_beyond_loopback_tokens_are_demanded(tmp_path: Path) -> None:
    """Nobody has to remember to switch it on; and datagrams, which carry none, stay on loopback."""
    with server(tmp_path, TOCSIN_HOST="0.0.0.0") as running:
        port = running.addresses["api"].rpartition(":")[2]
        answer = httpx2.get(f"http://127.0.0.1:{port}/api/v1/tags", trust_env=False)
        assert answer.status_code == 401
        assert running.addresses["spectator"].startswith("udp://127.0.0.1:")
    assert "nobody may ask anything" in running.complaint
