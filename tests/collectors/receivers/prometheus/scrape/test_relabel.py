"""The eleven relabel actions, as a table."""

import pytest

from collectors.receivers.prometheus.scrape.relabel import (
    Action,
    RelabelRule,
    compile_regex,
    relabel,
)

LABELS = {"a": "foo", "b": "bar", "c": "baz", "__meta_x": "m"}


def rule(action: str = "replace", regex: str = "(.*)", **fields: object) -> RelabelRule:
    return RelabelRule(action=Action(action), regex=compile_regex(regex), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        (rule(regex="f(.*)", source_labels=("a",), target_label="d", replacement="ch${1}-$1"),
         {"d": "choo-oo"}),
        (rule(source_labels=("a", "b"), target_label="d"), {"d": "foo;bar"}),
        (rule(source_labels=("a", "b"), separator="", target_label="d"), {"d": "foobar"}),
        (rule(regex="oo", source_labels=("a",), target_label="d"), {}),
        (rule(source_labels=("none",), target_label="a"), {"a": None}),
        (rule(target_label="a", replacement="fixed"), {"a": "fixed"}),
        (rule(regex="(f).*", source_labels=("a",), target_label="t_$1"), {"t_f": "f"}),
        (rule(regex="(f).*", source_labels=("a",), target_label="bad-$1"), {}),
        (rule(regex="(f).*", source_labels=("a",), target_label="d", replacement="$1x"),
         {"d": None}),
        (rule(regex="(?P<w>f).*", source_labels=("a",), target_label="d", replacement="${w}$$"),
         {"d": "f$"}),
        (rule("lowercase", source_labels=("a",), target_label="d"), {"d": "foo"}),
        (rule("uppercase", source_labels=("a", "b"), target_label="d"), {"d": "FOO;BAR"}),
        (rule("hashmod", source_labels=("c",), target_label="d", modulus=1_000), {"d": "976"}),
        (rule("labelmap", regex="__meta_(.*)", replacement="k_$1"), {"k_x": "m"}),
        (rule("labeldrop", regex="(a|b)"), {"a": None, "b": None}),
        (rule("labelkeep", regex="(a|b)"), {"c": None, "__meta_x": None}),
        (rule("keep", regex="f.*", source_labels=("a",)), {}),
        (rule("keep", regex="[[:alpha:]]+", source_labels=("a",)), {}),
        (rule("keep", regex="(?i)FOO", source_labels=("a",)), {}),
        (rule("keep", regex="foo.bar", source_labels=("a", "b"), separator="\n"), {}),
        (rule("keep", regex="x|foo", source_labels=("a",)), {}),
        (rule(regex="([a-z0-9]+-?)+\\.example\\.com", source_labels=("a",) * 20), {}),
        (rule("drop", regex="f", source_labels=("a",)), {}),
        (rule("keepequal", source_labels=("a",), target_label="a"), {}),
        (rule("dropequal", source_labels=("a",), target_label="b"), {}),
    ],
)  # fmt: skip
def test_changes(given: RelabelRule, changes: dict[str, str | None]) -> None:
    """Only the named labels change; None means the label is gone."""
    expected = {**LABELS, **changes}
    assert relabel(LABELS, [given]) == {k: v for k, v in expected.items() if v is not None}


@pytest.mark.parametrize(
    "given",
    [
        rule("drop", regex=".*o.*", source_labels=("a",)),
        rule("keep", regex="no", source_labels=("a",)),
        rule("keep", regex="f|foo2|o", source_labels=("a",)),
        rule("keep", regex="[[:digit:]]+", source_labels=("a",)),
        rule("keepequal", source_labels=("a",), target_label="b"),
        rule("dropequal", source_labels=("a",), target_label="a"),
    ],
)
def test_drops(given: RelabelRule) -> None:
    """Targets or series that a rule drops would be kept."""
    assert relabel(LABELS, [given, rule(target_label="never", replacement="x")]) is None


def test_rules_build_on_each_other() -> None:
    """A rule would not see what the one before it made."""
    rules = [
        rule(source_labels=("a",), target_label="d"),
        rule("labeldrop", regex="a"),
        rule("keep", regex="foo", source_labels=("d",)),
    ]
    assert relabel({"a": "foo"}, rules) == {"d": "foo"}
