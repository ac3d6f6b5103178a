"""OpenSLO documents from outside: our verdict must be theirs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from anomaly.slo.documents.openslo import read_openslo
from collectors.errors import DocumentError

SHARED = Path(os.environ.get("TOCSIN_SHARED", Path(__file__).parents[5] / "shared"))
CASES = SHARED / "conformance" / "openslo.jsonl"


def _cases() -> list[dict[str, object]]:
    if not CASES.exists():
        return []
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


@pytest.mark.skipif(not CASES.exists(), reason=f"external cases not found at {CASES}")
@pytest.mark.parametrize("case", _cases(), ids=lambda case: str(case["case"]))
def test_verdict_agrees(case: dict[str, object]) -> None:
    """Valid documents are read, invalid ones are refused with a place."""
    if case["valid"]:
        assert read_openslo(str(case["yaml"]), file="case.yaml")
    else:
        with pytest.raises(DocumentError) as caught:
            read_openslo(str(case["yaml"]), file="case.yaml")
        assert caught.value.line > 0
        assert caught.value.field
