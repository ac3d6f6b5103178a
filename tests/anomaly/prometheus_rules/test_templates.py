"""Templates of labels and annotations say what they say in Prometheus."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from anomaly.prometheus_rules.templates.errors import TemplateError
from anomaly.prometheus_rules.templates.expanding import Speech, check_template, expanded
from anomaly.prometheus_rules.templates.functions import Surroundings
from anomaly.prometheus_rules.templates.values import Record
from collectors.budget import Budget, Memory, Turns
from collectors.errors import TooCostlyError

ELEMENTS = [Record(Labels={"i": "b"}, Value=2.0), Record(Labels={"i": "a"}, Value=0.5)]
LABELS = {"__name__": "x", "instance": "web-1.example:9100", "i": "a"}


def say(text: str, value: float = 1.5) -> str:
    """What a template says."""
    around = Surroundings(
        query=lambda asked: [] if asked == "nothing" else ELEMENTS,
        external_url="https://watch.example/p",
    )
    speech = Speech(
        around=around, external_labels={"region": "eu"}, external_url="https://watch.example/p"
    )
    return expanded(text, LABELS, value, speech)


@pytest.mark.parametrize(
    ("template", "value", "said"),
    [
        ("{{ $value }}", 1234567.0, "1.234567e+06"),
        ("{{ $value }}", 100000.0, "100000"),
        ("{{ .Value | humanize }}", 123456789.125, "123.5M"),
        ("{{ humanize1024 $value }}", 1234567.0, "1.177Mi"),
        ("{{ humanizeDuration $value }}", 123456789.125, "1428d 21h 33m 9s"),
        ("{{ $value | humanizePercentage }}", 0.1234567, "12.35%"),
        ("{{ humanizeTimestamp $value }}", 12345.678, "1970-01-01 03:25:45.678 +0000 UTC"),
        ("{{ printf `%.2f%% of %5v|%-4s|%q` $value 1 `a` `b` }}", 1.5, '1.50% of     1|a   |"b"'),
        ('{{ printf "%d" $value }}', 1.5, "%!d(float64=1.5)"),
        ("{{ $labels.instance | stripPort | stripDomain | toUpper }}", 0.0, "WEB-1"),
        ("[{{ $labels.none }}]", 0.0, "[]"),
        ("{{ len $labels }} {{ index $labels `i` }}", 0.0, "3 a"),
        ("{{ $externalLabels.region }} {{ externalURL }} {{ pathPrefix }}", 0.0,
         "eu https://watch.example/p /p"),
        ('{{ range query "q" }}{{ .Labels.i }}={{ .Value }};{{ end }}', 0.0, "b=2;a=0.5;"),
        ('{{ range $a, $o := query "q" | sortByLabel "i" }}{{ $a }}{{ label "i" $o }} {{ end }}',
         0.0, "0a 1b "),
        ('{{ range query "nothing" }}x{{ else }}none{{ end }}', 0.0, "none"),
        ('{{ with query "q" }}{{ . | first | value }}{{ end }}', 0.0, "2"),
        ("{{ if gt $value 1.0 }}big{{ else if eq $value 0.5 }}half{{ else }}small{{ end }}", 0.5,
         "half"),
        ("{{ define `x` }}<{{ . }}>{{ end }}{{ template `x` `y` }}", 0.0, "<y>"),
        ("a {{- /* no word */ -}} b", 0.0, "ab"),
        ("{{ $n := 1 }}{{ if true }}{{ $n = 2 }}{{ end }}{{ $n }}", 0.0, "2"),
        ('{{ reReplaceAll "(a+)b" "<$1>" "xaab" }} {{ match "^a" "ab" }}', 0.0, "x<aa> true"),
        ('{{ title "hello wOrld" }} {{ toLower "A" }} {{ parseDuration "1h30m" }}', 0.0,
         "Hello WOrld a 5400"),
        ('{{ tableLink "up == 0" }}', 0.0, "/graph?g0.expr=up+%3D%3D+0&g0.tab=1"),
        ("{{ and 1 0 }} {{ or 0 `x` }} {{ not true }} {{ print 1 2 `a` 3 }}", 0.0,
         "0 x false 1 2a3"),
        ('{{ with args 1 "b" }}{{ .arg1 }}{{ end }}', 0.0, "b"),
        ("{{ range 3 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ . }}{{ end }}", 0.0, "02"),
    ],
)  # fmt: skip
def test_what_templates_say(template: str, value: float, said: str) -> None:
    """People would be told something else than by their Prometheus."""
    assert say(template, value) == said


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ if gt $value 1 }}x{{ end }}", "incompatible types"),
        ('{{ query "nothing" | first }}', "first() called on vector with no elements"),
        ("{{ .Nope }}", "can't evaluate field Nope"),
        ("{{ humanize `x` }}", "is no number"),
        ("{{ stripPort }}", "stripPort"),
        ("{{ range 90000 }}{{ range 90000 }}{{ end }}{{ end }}", "steps"),
        ('{{ printf "%5000d" 1 }}', "limit of 1000"),
        ("{{ define `x` }}{{ template `x` }}{{ end }}{{ template `x` }}", "in each other"),
        ("{{ range 9000 }}0123456789{{ end }}", "more than 65536 characters"),
        ("{{ $x := `ab` }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}", "more than 65536"),
        ("{{ $x := `a` }}{{ range 60 }}{{ $x = args $x $x }}{{ end }}{{ $x }}", "more than 65536"),
        ('{{ $x := printf "%999d" 1 }}{{ reReplaceAll "" $x $x }}', "more than 65536"),
        ("{{ urlQueryEscape `a` `no encoding` }}", "wrong number of args"),
        ('{{ "\\ud800" }}', "bad character"),
    ],
)
def test_what_can_not_be_filled_in_says_so(template: str, why: str) -> None:
    """An alert would be lost, or the engine held up, by a slip in its text."""
    said = say(template)
    assert said.startswith("<error expanding template: ")
    assert why in said


@pytest.mark.parametrize(
    "template",
    ["{{ nope }}", "{{ if true }}", "{{ $x }}", "{{ end }}", "a {{", "{{ }}", "{{ 1 | 2 }}",
     "{{ break }}", "{{ (1 }}", "{{ .a.b c'}}", "{{ 0xffffffffffffffffff }}",
     "{{ if true }}" + "{{ else if true }}" * 2_000 + "{{ end }}"],
)  # fmt: skip
def test_what_is_no_template_is_refused(template: str) -> None:
    """A slip would be met only once the alert fires."""
    with pytest.raises(TemplateError):
        check_template(template)


def test_a_slip_is_logged_once() -> None:
    """Ten thousand alerts would fill the log with one slip in each step."""
    with capture_logs() as logs:
        for _ in range(3):
            say("{{ humanize `no number of this test` }}")
    assert len(logs) == 1


def test_a_template_stops_when_its_rule_is_out_of_time() -> None:
    """Ten thousand alerts with a slow text each would hold up all other rules."""
    budget = Budget(
        timeout_s=0, memory=Memory(1 << 20), turns=Turns(1), now_s=iter(range(99)).__next__
    )
    with pytest.raises(TooCostlyError), budget.spending():
        say("{{ $value }}")


@given(st.text(alphabet='{}-|$.()"`range if end value labels 1,:=', max_size=60))
def test_any_text_is_filled_in_or_refused(text: str) -> None:
    """A text that nobody thought of would stop the evaluation of all rules of its group."""
    assert isinstance(say(text), str)
