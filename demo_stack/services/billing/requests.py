"""Idempotency keys: a request that is repeated is answered as before, and done once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from demo_stack.chassis.errors import ServiceError
from demo_stack.services.billing.database import Database
from demo_stack.services.billing.schema import REQUESTS

MAX_KEY_LENGTH = 100


class Requests:
    """Remembers answers by idempotency key.

    Args:
        database: Where they are kept, beside what they are about.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def once(self, key: str, request: dict[str, Any], do: Callable[[], dict[str, Any]]) -> Any:
        """Return the answer to a request: from memory, or by doing it.

        What is done must itself be safe to do twice: after a crash between doing and remembering
        it is.

        Args:
            key: The caller's.
            request: What is asked for: the same key may not ask for something else.
            do: Does it.

        Raises:
            ServiceError: The key is no key, or was used for something else.
        """
        if not 0 < len(key) <= MAX_KEY_LENGTH:
            raise ServiceError(
                f"an idempotency-key header of 1 to {MAX_KEY_LENGTH} characters is needed",
                status=400,
            )
        digest = hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()
        known = self._known(key, digest)
        if known is not None:
            return known
        answer = do()
        row = {"idempotency_key": key, "digest": digest, "answer": orjson.dumps(answer).decode()}

        def remember(connection: Connection) -> None:
            connection.execute(insert(REQUESTS), row)

        try:
            self._database.write(remember)
        except IntegrityError:  # the same request came twice at once: the first answer counts
            return self._known(key, digest)
        return answer

    def _known(self, key: str, digest: str) -> Any:
        query = select(REQUESTS.c.digest, REQUESTS.c.answer).where(
            REQUESTS.c.idempotency_key == key
        )
        row = self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            return None
        if row.digest != digest:
            raise ServiceError(f"key {key!r} was used for another request", status=409)
        return orjson.loads(row.answer)
