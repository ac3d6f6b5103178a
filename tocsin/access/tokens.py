"""API tokens: made once, kept as hashes, with a role, an expiry and a name to be blamed by.

A token is 32 random bytes, so one round of SHA-256 keeps it: there is nothing to guess.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from collectors.errors import ConflictError, NotFoundError, StorageError
from tocsin.access.rights import RIGHTS, Right, Role

PREFIX = "tcs_"
"""By which scanners for leaked secrets know a token."""
FILE = "tokens.json"
MAX_TOKENS = 1_000
MAX_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is kept of a token.

    Attributes:
        id: Public; names it in lists and logs.
        name: Of the person or service that uses it.
        role: What it may do.
        digest: SHA-256 of the secret, hexadecimal.
        created_ms: Epoch milliseconds.
        expires_ms: Epoch milliseconds; None: never.
        revoked_ms: Epoch milliseconds; None: it is not.
        person: Id in ``people.yaml`` of whose it is; empty: it stands for itself.
    """

    id: str
    name: str
    role: Role
    digest: str
    created_ms: int
    expires_ms: int | None = None
    revoked_ms: int | None = None
    person: str = ""

    def lives(self, now_ms: int) -> bool:
        """Whether it may be used."""
        expired = self.expires_ms is not None and now_ms >= self.expires_ms
        return self.revoked_ms is None and not expired

    def has(self, right: Right) -> bool:
        """Whether its role has a right."""
        return right is Right.NOTHING or right in RIGHTS[self.role]


class Tokens(ABC):
    """The tokens of one process or of a cluster, wherever they are kept."""

    def start(self) -> None:  # noqa: B027 - a file has nothing to start
        """Learn of changes from now on."""

    def close(self) -> None:  # noqa: B027 - as above
        """Stop."""

    @abstractmethod
    def tokens(self) -> list[Token]:
        """Return all tokens, the oldest first.

        Raises:
            StorageError: They can't be read; nobody is let in by what says nothing.
        """

    @abstractmethod
    def find(self, secret: str) -> Token | None:
        """Return the token whose secret this is, revoked or expired ones too."""

    @abstractmethod
    def _changing(self) -> AbstractContextManager[list[Token]]:
        """Return the tokens to change; nobody else changes them meanwhile."""

    def create(
        self, name: str, role: Role, now_ms: int, expires_ms: int | None, person: str = ""
    ) -> tuple[Token, str]:
        """Make a token; return it and its secret, which is not kept.

        Raises:
            ConflictError: A living token has that name, or there are too many.
            StorageError: It can't be kept.
        """
        secret = PREFIX + secrets.token_urlsafe(32)
        with self._changing() as tokens:
            if any(token.name == name and token.lives(now_ms) for token in tokens):
                raise ConflictError(f"a token is called {name!r}; revoke it, or take another name")
            if len(tokens) >= MAX_TOKENS:
                raise ConflictError(f"there are {MAX_TOKENS} tokens; no more are kept")
            token = Token(
                id=secrets.token_hex(4),
                name=name,
                role=role,
                digest=digest_of(secret),
                created_ms=now_ms,
                expires_ms=expires_ms,
                person=person,
            )
            tokens.append(token)
        return token, secret

    def revoke(self, id_or_name: str, now_ms: int) -> Token:
        """Let a token open nothing any more.

        Raises:
            NotFoundError: There is none, or it is revoked.
            StorageError: It can't be kept.
        """
        with self._changing() as tokens:
            for at, token in enumerate(tokens):
                if id_or_name in (token.id, token.name) and token.revoked_ms is None:
                    tokens[at] = replace(token, revoked_ms=now_ms)
                    return tokens[at]
            raise NotFoundError(f"no token {id_or_name[:MAX_NAME]!r} that is not revoked")


class TokenFile(Tokens):
    """The tokens of a data directory. Commands change the file; a running server sees it change.

    Args:
        directory: The data directory.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._seen: tuple[int, int, int] | None = None
        self._by_digest: dict[str, Token] = {}

    def tokens(self) -> list[Token]:
        """Return all tokens, the oldest first.

        Raises:
            StorageError: The file can't be read; nobody is let in by a file that says nothing.
        """
        try:
            rows = orjson.loads(self._path.read_bytes())
            return [Token(**{**row, "role": Role(row["role"])}) for row in rows]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StorageError(f"{self._path} can't be read: {error}") from error

    def find(self, secret: str) -> Token | None:
        """Return the token whose secret this is, revoked or expired ones too."""
        self._refresh()
        return self._by_digest.get(digest_of(secret))

    @contextmanager
    def _changing(self) -> Iterator[list[Token]]:
        """Yield the tokens to change; nobody else changes them meanwhile."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                tokens = self.tokens()
                yield tokens
                self._write(tokens)
            finally:
                os.close(lock)
        except OSError as error:
            raise StorageError(f"{self._path} can't be written: {error}") from error

    def _write(self, tokens: list[Token]) -> None:
        new = self._path.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(
                orjson.dumps([asdict(token) for token in tokens], option=orjson.OPT_INDENT_2)
            )
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        except OSError:
            seen = None
        if seen != self._seen or seen is None:
            self._by_digest = {token.digest: token for token in self.tokens()}
            self._seen = seen


def digest_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
