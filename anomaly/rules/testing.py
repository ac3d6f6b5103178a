"""For tests of whoever uses rules: all of a directory, ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anomaly.rules.kinds import RULE_KINDS, RuleKind, make_rules
from anomaly.rules.rule import Rule
from collectors.documents.section import PLAIN


def load_rules(
    directory: Path, step_ms: int, kinds: Sequence[RuleKind[Any]] = RULE_KINDS
) -> tuple[Rule[Any], ...]:
    """Return all rules below a configuration directory.

    Raises:
        DocumentError: All mistakes of the first kind that has some.
    """
    definitions = {kind.name: kind.load(directory / kind.name, PLAIN) for kind in kinds}
    return make_rules(definitions, step_ms, kinds)
