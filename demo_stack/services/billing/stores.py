"""What the instances of billing share, in all regions."""

from __future__ import annotations

from dataclasses import dataclass

IN_MEMORY = "sqlite://"


@dataclass(slots=True, kw_only=True)
class BillingStores:
    """Outlives every instance.

    Attributes:
        url: Database of the ledger, as SQLAlchemy names it; opened when it is first needed.
    """

    url: str = IN_MEMORY
