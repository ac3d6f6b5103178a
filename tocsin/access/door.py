"""What stands before every port, as the settings ask for it."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp

from collectors.clock import Clock
from tocsin.access.audit import AuditLog
from tocsin.access.calls import CallGate
from tocsin.access.gate import Gate, Gatekeeper
from tocsin.access.tokens import TokenFile
from tocsin.settings import Access, Settings

_log = structlog.get_logger(__name__)


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
    def of(cls, settings: Settings, clock: Clock) -> Door:
        """Return the door, and say who may pass."""
        audit = AuditLog(settings.data_dir)
        if not settings.demands_tokens:
            why = "set access to tokens to ask for them"
            if settings.access is Access.OPEN:
                why = "access is set to open"
            _log.info("whoever reaches a port may ask and answer", host=settings.host, why=why)
            return cls(keeper=None, audit=audit, clock=clock)
        tokens = TokenFile(settings.data_dir)
        now_ms = clock.now_ms()
        living = sum(token.lives(now_ms) for token in tokens.tokens())
        _log.info("every request needs a token", host=settings.host, tokens=living)
        if not living:
            remedy = "make one: tocsin token create NAME --role admin"
            _log.warning("there is no token: nobody may ask anything", remedy=remedy)
        return cls(keeper=Gatekeeper(tokens, clock), audit=audit, clock=clock)

    def before(self, app: ASGIApp) -> ASGIApp:
        """Return an application that stands before another."""
        return Gate(app, self.keeper, self.audit, self.clock)

    def interceptors(self) -> tuple[CallGate, ...]:
        """Return what stands before gRPC."""
        return () if self.keeper is None else (CallGate(self.keeper),)
