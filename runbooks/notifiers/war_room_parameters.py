"""What an operator says of war rooms in Slack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from collectors.documents.section import Context, Section
from collectors.documents.values import Flag, OneOrMore, Words, one_of
from collectors.errors import DocumentError
from runbooks.incidents.states import Severity


class WarRoomParameters(Section):
    """A channel of its own for each bad incident."""

    severities: Annotated[tuple[Annotated[Severity, one_of(tuple(Severity))], ...], OneOrMore] = (
        Severity.SEV1,
    )
    """Incidents that get one."""
    name: Words = "inc-{id}-{service}"
    """What it is called; `{id}` and `{service}` are the incident's."""
    archive: Flag = False
    """Whether it is archived when the incident is closed."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield a name that would be the same for two incidents."""
        del context
        if "{id}" not in self.name:
            yield self.at("name").error("must have {id} in it, such as inc-{id}-{service}")
