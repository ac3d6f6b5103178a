"""The certificate that all servers of the process show."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A chain and its private key, both files in PEM.

    Attributes:
        chain: The server's own certificate first.
        key: Its key, without a pass phrase.
    """

    chain: Path
    key: Path

    @classmethod
    def of(cls, chain: Path | None, key: Path | None) -> Certificate | None:
        """Return what is named, None if nothing is: then nothing is encrypted.

        Raises:
            ConfigError: One of the two is missing or can't be read, or they don't belong together.
        """
        if chain is None and key is None:
            return None
        if chain is None or key is None:
            missing = "TOCSIN_TLS_KEY" if key is None else "TOCSIN_TLS_CERTIFICATE"
            raise ConfigError(f"{missing} is not set: TLS takes a certificate and its key")
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                chain, key, password=_no_pass_phrase
            )
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"TOCSIN_TLS_CERTIFICATE = {chain}, TOCSIN_TLS_KEY = {key}: {error}; both must be "
                "PEM, belong together and be readable, the key without a pass phrase"
            ) from error
        return cls(chain=chain, key=key)

    def grpc_credentials(self) -> Any:
        """Return what a gRPC server takes."""
        import grpc

        return grpc.ssl_server_credentials([(self.key.read_bytes(), self.chain.read_bytes())])


def _no_pass_phrase() -> str:
    # OpenSSL would ask the terminal for it, and the start would hang.
    return ""
