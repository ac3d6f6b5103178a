"""Stands before an application: lets pass who may, and says who it is."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collectors.clock import Clock
from collectors.errors import StorageError
from tocsin.access.audit import AuditLog, Entry
from tocsin.access.people import Member, Members
from tocsin.access.rights import RIGHTS, Right, Role
from tocsin.access.tokens import Token, Tokens
from tocsin.client.transport import PERSON

ANYBODY = "anybody"
MAX_EMAIL = 254
"""Characters of an address (RFC 5321); what is longer is cut and belongs to nobody."""

_CHANGES = frozenset({Right.RESPOND, Right.COMMAND, Right.ADMINISTER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who makes a request.

    Attributes:
        name: Of the token, or of the person that it speaks for; ``anybody`` without one.
        token: None without one.
        member: Whom the token speaks for, or is of; None: it stands for itself.
    """

    name: str = ANYBODY
    token: Token | None = None
    member: Member | None = None

    @property
    def role(self) -> str:
        """Of the person or the token; empty without one."""
        if self.member is not None:
            return self.member.role.value
        return self.token.role.value if self.token else ""

    @property
    def words(self) -> str:
        """Who it is, and through which token where that speaks for somebody."""
        through = f" (through {self.token.name})" if self.token and self.member else ""
        return f"{self.name}{through}"

    @property
    def rights(self) -> frozenset[Right]:
        """What it may do: of a person's own token what both the person and the token may."""
        if not self.role:
            return frozenset()
        rights = RIGHTS[Role(self.role)]
        own = self.token is not None and bool(self.token.person)
        return rights & RIGHTS[self.token.role] if own and self.token else rights

    def has(self, right: Right) -> bool:
        """Whether it may do what takes a right."""
        return right is Right.NOTHING or right in self.rights


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a request may pass.

    Attributes:
        principal: Who makes it, as far as is known.
        status: 0: it may; 401: nobody knows who it is; 403: that one may not; 503: not known now.
        reason: Why it may not.
    """

    principal: Principal
    status: int = 0
    reason: str = ""


class Gatekeeper:
    """Decides by tokens.

    Args:
        tokens: Those that there are.
        clock: The present.
        members: People who may be spoken for.

    Attributes:
        refused: How many requests were, by HTTP status.
    """

    def __init__(self, tokens: Tokens, clock: Clock, members: Members | None = None) -> None:
        self.refused: Counter[int] = Counter()
        self._members = members or Members()
        self._tokens = tokens
        self._clock = clock

    def judge(self, right: Right, secret: str | None, person: str = "") -> Verdict:
        """Return whether somebody with this secret has a right; count it if not.

        Args:
            right: What is needed.
            secret: Of a token; None: none came.
            person: Address of whom the token speaks for; empty: for itself.
        """
        verdict = self._judged(right, secret, person)
        if verdict.status:
            self.refused[verdict.status] += 1
        return verdict

    def _judged(self, right: Right, secret: str | None, person: str) -> Verdict:
        nobody = Principal()
        if secret is None:
            if right is Right.NOTHING:
                return Verdict(principal=nobody)
            wanted = "send 'Authorization: Bearer …' with a token of `tocsin token create`"
            return Verdict(principal=nobody, status=401, reason=f"a token is needed; {wanted}")
        try:
            token = self._tokens.find(secret)
        except StorageError as error:
            return Verdict(principal=nobody, status=503, reason=error.message)
        if token is None:
            return Verdict(principal=nobody, status=401, reason="there is no such token")
        principal = Principal(name=token.name, token=token)
        if not token.lives(self._clock.now_ms()):
            how = "revoked" if token.revoked_ms is not None else "expired"
            reason = f"the token {token.id} ({token.name}) is {how}"
            return Verdict(principal=principal, status=401, reason=reason)
        if person:
            if not principal.has(Right.SPEAK):
                reason = f"{token.name} is {token.role} and speaks for nobody else"
                return Verdict(principal=principal, status=403, reason=reason)
            member = self._members.find(person)
            principal = Principal(name=member.name, token=token, member=member)
        elif token.person:
            owner = self._members.of(token.person)
            if owner is None:
                reason = f"the token {token.id} is of {token.person}, who is nobody of people.yaml"
                return Verdict(principal=principal, status=403, reason=reason)
            principal = Principal(name=owner.name, token=token, member=owner)
        if not principal.has(right):
            reason = f"{principal.name} is {principal.role} and has no right to {right}"
            return Verdict(principal=principal, status=403, reason=reason)
        return Verdict(principal=principal)


class Gate:
    """An ASGI application that stands before another.

    Puts who asks into ``scope["principal"]``, that one's name into ``scope["actor"]``, empty where
    nobody has to say it, and into ``scope["trusted"]`` whether more may be told than that all is
    well, and into ``scope["rights"]`` what that one may do, None where all may do all. What changes
    something, and what was refused although a token came, is audited; requests of strangers are
    only counted.

    Args:
        app: What stands behind.
        needs: Returns the right that a request needs, by method and path.
        keeper: Decides; None lets everybody pass, as ``anybody``.
        audit: Where changes are noted.
        clock: The present.
    """

    def __init__(
        self,
        app: ASGIApp,
        needs: Callable[[str, str], Right],
        keeper: Gatekeeper | None,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._app = app
        self._needs = needs
        self._keeper = keeper
        self._audit = audit
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        right = self._needs(scope["method"], scope["path"])
        verdict = Verdict(principal=Principal())
        if self._keeper is not None:
            headers = Headers(scope=scope)
            verdict = self._keeper.judge(right, secret_of(headers), person_of(headers))
        scope["trusted"] = self._keeper is None or verdict.principal.token is not None
        scope["principal"] = verdict.principal
        scope["rights"] = None if self._keeper is None else verdict.principal.rights
        scope["actor"] = verdict.principal.name if verdict.principal.token else ""
        if verdict.status:
            await self._note(scope, verdict, verdict.status, right)
            await _refusal(verdict)(scope, receive, send)
            return
        if right not in _CHANGES:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, self._noting(scope, send, verdict, right))

    def _noting(self, scope: Scope, send: Send, verdict: Verdict, right: Right) -> Send:
        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._note(scope, verdict, message["status"], right)
            await send(message)

        return noted

    async def _note(self, scope: Scope, verdict: Verdict, status: int, right: Right) -> None:
        changed = self._keeper is None and right in _CHANGES
        if verdict.principal.token is None and not changed:
            return  # a stranger could push what others did out of the log
        entry = Entry(
            time_ms=self._clock.now_ms(),
            who=verdict.principal.words,
            role=verdict.principal.role,
            peer=(scope.get("client") or ("", 0))[0],
            method=scope["method"],
            path=scope["path"][:500],
            outcome=status,
            reason=verdict.reason,
        )
        # A disk that hangs must not hang the loop.
        await anyio.to_thread.run_sync(self._audit.note, entry)


def person_of(headers: Headers) -> str:
    """Return the address of whom a token speaks for, empty if it speaks for itself."""
    return unquote(headers.get(PERSON, ""))[:MAX_EMAIL].strip()


def secret_of(headers: Headers) -> str | None:
    """Return the secret that a request carries: as a bearer, or as the password of basic auth.

    Prometheus, Grafana and exporters speak at least one of the two.
    """
    kind, _, value = headers.get("authorization", "").strip().partition(" ")
    match kind.lower():
        case "":
            return None
        case "bearer":
            return value.strip()
        case "basic":
            try:
                return base64.b64decode(value, validate=True).decode().partition(":")[2]
            except (binascii.Error, ValueError):
                return ""
        case _:
            return ""


def _refusal(verdict: Verdict) -> JSONResponse:
    headers = {"WWW-Authenticate": 'Bearer realm="tocsin"'} if verdict.status == 401 else {}
    body = {"type": "error", "message": verdict.reason}
    return JSONResponse(body, status_code=verdict.status, headers=headers)
