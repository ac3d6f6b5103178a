"""Whether whoever asks may give a command, where the path alone does not tell."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from collectors.errors import NotAllowedError
from runbooks.oncall.rights import ADMIN, COMMANDER, RESPONDER, needed_for

_RIGHTS: Mapping[str, str] = {RESPONDER: "respond", COMMANDER: "command", ADMIN: "administer"}


def permit(request: Request, command: str) -> None:
    """Let pass who may give ``command``.

    The gate before us says in ``scope["rights"]`` what who asks may do; without a gate everybody
    may do everything.

    Raises:
        NotAllowedError: With the role that is needed.
    """
    rights = request.scope.get("rights")
    needed = needed_for(command)
    if rights is not None and _RIGHTS[needed] not in rights:
        raise NotAllowedError(f"{command} needs the role {needed}")
