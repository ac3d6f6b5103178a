"""TLS by files: a real server, official exporters, commands; and what is wrong is said at once."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import grpc
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
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

from collectors.errors import ConfigError
from tests.tocsin.access.test_access_in_force import tocsin
from tests.tocsin.test_serve import server
from tocsin.access.certificate import Certificate


def made(directory: Path, name: str = "server") -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tocsin.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = directory / f"{name}.pem", directory / f"{name}.key"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, private


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    """Half a pair, a stranger's key, no file: said before anything is opened."""
    chain, key = made(tmp_path)
    _, other = made(tmp_path, "other")
    assert Certificate.of(None, None) is None
    assert Certificate.of(chain, key) == Certificate(chain=chain, key=key)
    cases: list[tuple[Path | None, Path | None, str]] = [
        (chain, None, "TOCSIN_TLS_KEY is not set"),
        (None, key, "TOCSIN_TLS_CERTIFICATE is not set"),
        (chain, other, "belong together"),
        (chain, tmp_path / "none.key", "No such file"),
        (key, key, "must be PEM"),
    ]
    for certificate, private, told in cases:
        with pytest.raises(ConfigError, match=told):
            Certificate.of(certificate, private)


def exported(exporter: MetricExporter) -> bool:
    """Export a counter; return whether it was taken."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    provider.get_meter("m").create_counter("jobs").add(1)
    data = reader.get_metrics_data()
    assert data is not None
    result = exporter.export(data)
    exporter.shutdown()
    provider.shutdown()
    return result is MetricExportResult.SUCCESS


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.patient
def test_every_port_speaks_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Official exporters and commands trust our certificate; nothing is answered in the clear."""
    for bundle in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(bundle, raising=False)
    chain, key = made(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    with server(data, TOCSIN_TLS_CERTIFICATE=str(chain), TOCSIN_TLS_KEY=str(key)) as running:
        api, otlp = running.addresses["api"], running.addresses["otlp_http"]
        assert api.startswith("https://127.0.0.1:")
        assert exported(
            OTLPMetricExporter(endpoint=f"{otlp}/v1/metrics", certificate_file=str(chain))
        )
        credentials = grpc.ssl_channel_credentials(chain.read_bytes())
        endpoint = running.addresses["otlp_grpc"]
        assert exported(GrpcExporter(endpoint=endpoint, credentials=credentials, timeout=5))

        asked = {"TOCSIN_API_URL": api}
        assert tocsin(data, "tags", **asked, TOCSIN_API_CA=str(chain)).returncode == 0
        unknown = tocsin(data, "tags", **asked)
        assert unknown.returncode == 4
        assert "certificate verify failed" in unknown.stderr
        with pytest.raises(httpx2.HTTPError):
            httpx2.get(api.replace("https", "http"), trust_env=False)


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.patient
def test_half_a_certificate_stops_a_start(tmp_path: Path) -> None:
    """A server never falls back to speaking in the clear."""
    chain, _ = made(tmp_path)
    refused: subprocess.CompletedProcess[str] = tocsin(
        tmp_path, "serve", TOCSIN_TLS_CERTIFICATE=str(chain), TOCSIN_API_PORT="0"
    )
    assert refused.returncode == 2
    assert "TOCSIN_TLS_KEY is not set" in refused.stderr
