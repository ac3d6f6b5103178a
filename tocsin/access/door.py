"""What stands before every port, as the settings ask for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import structlog
from starlette.types import ASGIApp

from collectors.clock import Clock
from tocsin.access.audit import AuditLog
from tocsin.access.calls import CallGate
from tocsin.access.certificate import Certificate
from tocsin.access.gate import Gate, Gatekeeper
from tocsin.access.people import Members
from tocsin.access.rights import Right
from tocsin.access.tokens import TokenFile, Tokens

_log = structlog.get_logger(__name__)


class House(Protocol):
    """What the settings say of access."""

    @property
    def data_dir(self) -> Path:
        """Where tokens and the audit log are."""
        ...

    @property
    def host(self) -> str:
        """Address that all servers listen on."""
        ...

    @property
    def demands_tokens(self) -> bool:
        """Whether requests need a token."""
        ...

    @property
    def tls_certificate(self) -> Path | None:
        """Certificate chain of all servers."""
        ...

    @property
    def tls_key(self) -> Path | None:
        """Its private key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One for all ports.

    Attributes:
        keeper: Decides; None: everybody may pass.
        audit: Where changes are noted.
        clock: The present.
        certificate: That all servers show; None: nothing is encrypted.
        members: People who may be spoken for by pages that they have signed in to.
    """

    keeper: Gatekeeper | None
    audit: AuditLog
    clock: Clock
    certificate: Certificate | None = None
    members: Members = field(default_factory=Members)

    @classmethod
    def of(cls, house: House, clock: Clock, tokens: Tokens | None = None) -> Door:
        """Return the door, and say who may pass.

        Args:
            house: What the settings say.
            clock: The present.
            tokens: Where tokens are; None: in the data directory.

        Raises:
            ConfigError: The certificate or its key can't be used.
        """
        audit = AuditLog(house.data_dir)
        certificate = Certificate.of(house.tls_certificate, house.tls_key)
        if certificate is None and house.demands_tokens:
            remedy = "set tls_certificate and tls_key, or let a proxy speak TLS"
            _log.warning("tokens travel in the clear", host=house.host, remedy=remedy)
        if not house.demands_tokens:
            remedy = "set access to tokens to ask for them"
            _log.info("whoever reaches a port may ask and answer", host=house.host, remedy=remedy)
            return cls(keeper=None, audit=audit, clock=clock, certificate=certificate)
        tokens = tokens or TokenFile(house.data_dir)
        now_ms = clock.now_ms()
        living = sum(token.lives(now_ms) for token in tokens.tokens())
        _log.info("every request needs a token", host=house.host, tokens=living)
        if not living:
            remedy = "make one: tocsin token create NAME --role admin"
            _log.warning("there is no token: nobody may ask anything", remedy=remedy)
        members = Members()
        keeper = Gatekeeper(tokens, clock, members)
        return cls(
            keeper=keeper, audit=audit, clock=clock, certificate=certificate, members=members
        )

    def before(self, app: ASGIApp, needs: Callable[[str, str], Right]) -> ASGIApp:
        """Return what stands before ``app``, whose requests need a right by method and path."""
        return Gate(app, needs, self.keeper, self.audit, self.clock)

    def as_json(self) -> dict[str, Any]:
        """Return the state for ``/health``."""
        refused = self.keeper.refused if self.keeper else {}
        return {
            "tokens": self.keeper is not None,
            "tls": self.certificate is not None,
            "refused": {str(status): count for status, count in sorted(refused.items())},
            "audit_lost": self.audit.lost,
        }

    def interceptors(self) -> tuple[CallGate, ...]:
        """Return what stands before gRPC."""
        return () if self.keeper is None else (CallGate(self.keeper),)
