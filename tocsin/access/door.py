"""What stands before every port, as the settings ask for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog
from starlette.types import ASGIApp

from collectors.clock import Clock
from tocsin.access.audit import AuditLog
from tocsin.access.calls import CallGate
from tocsin.access.gate import Gate, Gatekeeper
from tocsin.access.rights import Right
from tocsin.access.tokens import TokenFile

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One for all ports.

    Attributes:
        keeper: Decides; None: everybody may pass.
        audit: Where changes are noted.
        clock: The present.
    """

    keeper: Gatekeeper | None
    audit: AuditLog
    clock: Clock

    @classmethod
    def of(cls, house: House, clock: Clock) -> Door:
        """Return the door, and say who may pass."""
        audit = AuditLog(house.data_dir)
        if not house.demands_tokens:
            remedy = "set access to tokens to ask for them"
            _log.info("whoever reaches a port may ask and answer", host=house.host, remedy=remedy)
            return cls(keeper=None, audit=audit, clock=clock)
        tokens = TokenFile(house.data_dir)
        now_ms = clock.now_ms()
        living = sum(token.lives(now_ms) for token in tokens.tokens())
        _log.info("every request needs a token", host=house.host, tokens=living)
        if not living:
            remedy = "make one: tocsin token create NAME --role admin"
            _log.warning("there is no token: nobody may ask anything", remedy=remedy)
        return cls(keeper=Gatekeeper(tokens, clock), audit=audit, clock=clock)

    def before(self, app: ASGIApp, needs: Callable[[str, str], Right]) -> ASGIApp:
        """Return what stands before ``app``, whose requests need a right by method and path."""
        return Gate(app, needs, self.keeper, self.audit, self.clock)

    def as_json(self) -> dict[str, Any]:
        """Return the state for ``/health``."""
        refused = self.keeper.refused if self.keeper else {}
        return {
            "tokens": self.keeper is not None,
            "refused": {str(status): count for status, count in sorted(refused.items())},
            "audit_lost": self.audit.lost,
        }

    def interceptors(self) -> tuple[CallGate, ...]:
        """Return what stands before gRPC."""
        return () if self.keeper is None else (CallGate(self.keeper),)
