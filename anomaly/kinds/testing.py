"""For tests of whoever uses rules: all of a directory, ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anomaly.kinds.table import RULE_KINDS, RuleKind, make_rules
from anomaly.rules.rule import Rule
from collectors.documents.section import PLAIN


def load_rules(
    directory: Path, step_ms: int, kinds: Sequence[RuleKind[Any]] = RULE_KINDS
) -> tuple[Rule[Any], ...]:
    """Return all rules below a configuration directory, without those that need no document.

    Raises:
        DocumentError: All mistakes of the first kind that has some.
    """
    there = [kind for kind in kinds if (directory / kind.name).is_dir()]
    definitions = {kind.name: kind.load(directory / kind.name, PLAIN) for kind in there}
    return make_rules(definitions, step_ms, kinds)
