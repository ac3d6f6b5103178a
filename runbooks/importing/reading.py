"""Reading an export of a file: which tool wrote it, and what it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collectors.errors import InputError
from collectors.json_text import read_plain
from runbooks.importing import grafana_oncall, opsgenie, pagerduty
from runbooks.importing.imported import Imported

MAX_EXPORT_BYTES = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Somebody else's: how its exports are known, and how they are read."""

    looks_like: Callable[[object], bool]
    read: Callable[[object, Imported], None]


TOOLS: Mapping[str, Tool] = {
    module.__name__.rpartition(".")[2].replace("_", "-"): Tool(
        looks_like=module.looks_like, read=module.read
    )
    for module in (opsgenie, pagerduty, grafana_oncall)
}
"""By the name of the file that reads them."""


def imported(body: bytes, tool: str | None = None) -> tuple[str, Imported]:
    """Return whose export it is, and what it becomes.

    Args:
        body: JSON.
        tool: Whose it is; None: as it looks.

    Raises:
        InputError: It is no JSON, too large, or of nobody that is known.
    """
    if len(body) > MAX_EXPORT_BYTES:
        raise InputError(f"the export has {len(body):,} bytes; at most {MAX_EXPORT_BYTES:,}")
    document = read_plain(body)
    name = tool or next((name for name, one in TOOLS.items() if one.looks_like(document)), None)
    if name is None:
        known = ", ".join(TOOLS)
        raise InputError(f"this looks like no export of {known}; say whose it is with --from")
    found = Imported()
    try:
        TOOLS[name].read(document, found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"this is not as {name} writes it: {error!r}") from error
    if not found.files():
        raise InputError(f"there is nobody, no schedule and no policy of {name} in it")
    return name, found
