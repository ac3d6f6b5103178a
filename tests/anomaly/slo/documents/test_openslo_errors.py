"""Mistakes in OpenSLO documents: each is told with file, line, field and what to do."""

from __future__ import annotations

import json
import textwrap

import pytest

from anomaly.slo.documents.compiler import compile_objectives
from anomaly.slo.documents.openslo import read_openslo
from collectors.documents.section import Context
from collectors.errors import DocumentError

GOOD = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: starts
  annotations:
    tocsin.dev/group-by: cloud.region
spec:
  service: playback
  indicator:
    metadata: {name: starts}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: tocsin, spec: {query: "name,ok,:eq,:sum"}}}
        total: {metricSource: {type: tocsin, spec: {query: "name,all,:eq,:sum"}}}
  timeWindow: [{duration: 12h, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
"""

BOMB = "\n".join(
    f"{name}: &{name} [{','.join([of] * 10)}]"
    for name, of in zip("abcde", ["x", "*a", "*b", "*c", "*d"], strict=True)
)

# what to replace, by what, line, field, words of the message
MISTAKES = [
    ("target: 0.999", "target: 1.2", 19, "spec.objectives[0].target", "less than 1"),
    ("target: 0.999", "target: nearly", 19, "spec.objectives[0].target", "must be a number"),
    ("target: 0.999", "target: .inf", 19, "spec.objectives[0].target", "plain finite number"),
    ("target: 0.999", "target: 1.0e-999999", 19, "spec.objectives[0].target", "plain finite"),
    ("target: 0.999", "targt: 0.999", 19, "spec.objectives[0].targt", "did you mean 'target'"),
    (
        "target: 0.999",
        "{target: 0.9, targetPercent: 90}",
        19,
        "spec.objectives[0].target",
        "one of",
    ),
    ("service: playback", "servcie: playback", 8, "spec.servcie", "did you mean 'service'"),
    ("service: playback", "service: Playback", 8, "spec.service", "lower-case"),
    ("service: playback", "service: playback\n  owner: me", 9, "spec.owner", "unknown field"),
    ("duration: 12h", "duration: 12x", 16, "spec.timeWindow[0].duration", "m h d w M Q Y"),
    ("duration: 12h", "duration: 0h", 16, "spec.timeWindow[0].duration", "longer than nothing"),
    ("budgetingMethod: Occurrences", "budgetingMethod: Luck", 17, "spec.budgetingMethod", "one of"),
    ("kind: SLO", "kind: SLOW", 2, "kind", "must be one of SLO"),
    ("openslo/v1", "openslo/v9", 1, "apiVersion", "must be openslo/v1"),
    ("name: starts\n", "name: starts\n  name: again\n", 5, "metadata.name", "given twice"),
    ("good: {", "godo: {", 14, "spec.indicator.spec.ratioMetric.godo", "did you mean 'good'?"),
    ("counter: true", "counter: 7", 13, "spec.indicator.spec.ratioMetric.counter", "true or false"),
]

REFUSALS = [
    (
        'type: tocsin, spec: {query: "name,ok',
        'type: redis, spec: {query: "name,ok',
        "use type tocsin",
    ),
    ("Occurrences", "RatioTimeslices", "timeSliceWindow"),
    ("isRolling: true", "calendar: {startTime: 2026-01-01 00:00:00, timeZone: Mars/X}", "IANA"),
    (
        "tocsin.dev/group-by: cloud.region",
        "tocsin.dev/group: x",
        "mean 'tocsin.dev/group-by'",
    ),
    ("tocsin.dev/group-by: cloud.region", "tocsin.dev/group-by: 'a b'", "tag keys"),
    ("tocsin.dev/group-by: cloud.region", "tocsin.dev/min-coverage: '1.5'", "from 0 to 1"),
    ("duration: 12h", "duration: 1m", "at least one hour"),
]


@pytest.mark.parametrize(("old", "new", "line", "field", "words"), MISTAKES)
def test_mistake_has_its_place(old: str, new: str, line: int, field: str, words: str) -> None:
    """Otherwise an author would search the whole file for one word."""
    with pytest.raises(DocumentError) as caught:
        read_openslo(GOOD.replace(old, new, 1), file="slos/starts.yaml")
    assert words in caught.value.reason
    assert (caught.value.line, caught.value.field) == (line, field)
    assert str(caught.value).startswith(f"slos/starts.yaml:{caught.value.line}: ")


@pytest.mark.parametrize(("old", "new", "words"), REFUSALS)
def test_valid_or_not_it_must_be_runnable(old: str, new: str, words: str) -> None:
    """What is valid OpenSLO but can't be evaluated here is refused, never ignored."""
    assert old in GOOD
    with pytest.raises(DocumentError, match=words):
        compile_objectives(read_openslo(GOOD.replace(old, new, 1), file="x.yaml"))


def test_good_document_compiles_exactly() -> None:
    """What is watched is what the document says, targets without rounding."""
    (objective,) = compile_objectives(read_openslo(GOOD, file="x.yaml"))
    assert str(objective.target) == "999/1000"
    assert objective.period_s == 43_200
    assert objective.good_expr == "name,ok,:eq,:sum,(,cloud.region,),:by"
    assert objective.source == "x.yaml:1"


def test_percent_is_exact() -> None:
    """A target of 99.9 % leaves a budget of 1/1000 and not of 0.0010000000000000009."""
    (objective,) = compile_objectives(
        read_openslo(GOOD.replace("target: 0.999", "targetPercent: 99.9"), file="x.yaml")
    )
    assert str(objective.budget) == "1/1000"


def test_json_with_tabs_is_read_and_keeps_lines() -> None:
    """Otherwise what other tools write could not be read."""
    document = {
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {"name": "a"},
        "spec": {},
    }
    text = json.dumps(document, indent="\t")
    assert len(read_openslo(text, file="a.json")) == 1
    with pytest.raises(DocumentError) as caught:
        read_openslo(text.replace('"name": "a"', '"name": 5'), file="a.json")
    assert (caught.value.line, caught.value.field) == (5, "metadata.name")


def test_many_documents_and_lists_are_flattened() -> None:
    """Otherwise all but the first object of a file would be lost."""
    service = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: NAME}\nspec: {}\n"
    many = service.replace("NAME", "a") + "---\n---\n" + service.replace("NAME", "b")
    assert [o.metadata.name for o in read_openslo(many, file="x")] == ["a", "b"]
    listed = "- " + textwrap.indent(service.replace("NAME", "c"), "  ").lstrip()
    assert [o.metadata.name for o in read_openslo(listed, file="x")] == ["c"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1", "not YAML"),
        ("- 5", "mapping of fields"),
        ("a: &x [*x]", "an alias stands inside of what it refers to"),
        ("&a [" + "[" * 60 + "]" * 60 + "]", "nested deeper"),
        ("x: " + "y" * 1_000_001, "over the limit"),
        (BOMB, "more than 50000"),
        ("a: \x07", "not YAML"),
    ],
    ids=["unclosed", "scalar", "recursive", "deep", "large", "bomb", "control"],
)
def test_hostile_text_is_refused(text: str, words: str) -> None:
    """A document may not exhaust memory or time."""
    with pytest.raises(DocumentError, match=words):
        read_openslo(text, file="x.yaml")


STRICT_ONLY = [
    ("name: starts\n  ann", "name: starts.v1\n  ann", "RFC 1123"),
    ("  timeWindow: [{duration: 12h, isRolling: true}]\n", "", "exactly one window"),
    ("- target: 0.999", "- {target: 0.999, op: gt}", "thresholdMetric only"),
    (
        "budgetingMethod: Occurrences",
        "budgetingMethod: Occurrences\n  alertPolicies: [p]",
        "mapping",
    ),
    ("        counter: true\n", "", "counter: is required"),
]


@pytest.mark.parametrize(("old", "new", "words"), STRICT_ONLY)
def test_strict_refuses_what_lenient_takes(old: str, new: str, words: str) -> None:
    """Each of the two modes keeps to its own rules."""
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    assert read_openslo(text, file="x.yaml")
    with pytest.raises(DocumentError, match=words):
        read_openslo(text, file="x.yaml", context=Context(strict=True))
