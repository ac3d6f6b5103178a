"""Secrets in lines: found where they are, left where they are none, counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from collectors.errors import DocumentError
from collectors.log_batch import pack, unpack
from collectors.redacting.redaction_file import load_redaction
from collectors.redacting.redactor import Redaction, Redactor
from tests.collectors.logs.lines import batch

HIDDEN = (
    ("card 4111 1111 1111 1111 declined", "card [redacted card] declined"),
    ("pan=378282246310005;", "pan=[redacted card];"),
    ("mail to ann.b+c@mail.example.org!", "mail to [redacted email]!"),
    ("Authorization: Bearer abcdef123456", "Authorization: Bearer [redacted token]"),
    ("GET /x?api_key=s3cr3tvalue&y=1", "GET /x?api_key=[redacted token]&y=1"),
    ('{"password": "hunter22"}', '{"password": "[redacted token]"}'),
    ('{"password":"two words, quoted"}', '{"password":"[redacted token]"}'),
    ('{"password": "cut off', '{"password": "[redacted token]'),
    (r"body={\"secret\":\"a\\\"b c\"}", r"body={\"secret\":\"[redacted token]\"}"),
    ('{"headers":{"Cookie":"sid=1; a=b"}}', '{"headers":{"Cookie":"[redacted token]"}}'),
    ('{"authorization":"Bearer abcdef123456"}', '{"authorization":"[redacted token]"}'),
    ("password = hunter22", "password = [redacted token]"),
    ("api_key=AKIAIOSFODNN7EXAMPLE", "api_key=[redacted token]"),
    ("Basic dXNlcjpwYXNz failed", "Basic [redacted token] failed"),
    ("-----BEGIN RSA PRIVATE KEY-----" + 12_000 * "a", "[redacted token]"),
    ("key AKIAIOSFODNN7EXAMPLE used", "key [redacted token] used"),
    ("jwt eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2ln end", "jwt [redacted token] end"),
)
KEPT = (
    "order 4111111111111112 shipped",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "at 1700000000000000000 ns",
    "user @ann joined",
    "token expired for session 12",
    "basic plan, bearer of news",
    "Basic authentication failed",
    '{"maxTokens": 100, "next_token": ""}',
    "10.0.0.1 - - [10/Oct/2000:13:55:36 -0700]",
)


@pytest.mark.parametrize(("text", "shown"), HIDDEN)
def test_secrets_are_hidden_and_counted(text: str, shown: str) -> None:
    """Whoever may read logs would hold cards, passwords and addresses of customers."""
    redactor = Redactor()
    assert redactor.clean(batch("before", text, "after")).bodies == ["before", shown, "after"]
    assert sum(redactor.counts.values()) == 1


def test_a_parameter_of_syslog_keeps_its_name() -> None:
    """Structured data would be there, and could not be asked for."""
    named = pack({"ex@32473.iut": "3", "from": "ann@163.com"})
    cleaned = Redactor().clean(replace(batch("a"), attributes=[named]))
    assert unpack(cleaned.attributes[0]) == {"ex@32473.iut": "3", "from": "[redacted email]"}


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_secret_stays(text: str) -> None:
    """A line whose numbers are gone explains nothing."""
    redactor = Redactor()
    assert redactor.clean(batch(text)).bodies == [text]
    assert redactor.counts == {}


def test_attributes_named_like_secrets_are_hidden() -> None:
    """A header that was logged would be a key to the account."""
    own = {"http.request.header.authorization": "x", "user": "ann", "cookie": "c=1"}
    lines = replace(batch("a"), attributes=[pack(own)])
    found = unpack(Redactor().clean(lines).attributes[0])
    assert found["user"] == "ann"
    assert found["cookie"] == found["http.request.header.authorization"] == "[redacted token]"
    tokens = {"token": "a", "id_token": "b", "clientSecret": "c"}
    lines = replace(batch("a"), attributes=[pack(tokens)])
    assert set(unpack(Redactor().clean(lines).attributes[0]).values()) == {"[redacted token]"}


def test_an_attribute_is_not_hidden_for_its_neighbour() -> None:
    """A plan called basic would take the name of the next attribute for a password."""
    own = {"plan": "basic", "environment.name1": "eu", "q": "token", "=x": "y"}
    lines = replace(batch("a"), attributes=[pack(own)])
    assert unpack(Redactor().clean(lines).attributes[0]) == own


def test_names_and_levels_hide_secrets_too() -> None:
    """A service that is named after its address would show it in every list."""
    lines = replace(batch("a", service="job of ann@example.org"), levels=["to bob@example.org"])
    cleaned = Redactor().clean(lines)
    assert cleaned.origins[0].service == "job of [redacted email]"
    assert cleaned.levels == ["to [redacted email]"]


def test_the_file_says_what_is_hidden(tmp_path: Path) -> None:
    """An operator's own numbers would stand in every line, or what is wanted would be gone."""
    path = tmp_path / "redaction.yaml"
    path.write_text("emails: false\nrules:\n- name: order\n  pattern: 'ORD-\\d+'\n")
    redactor = Redactor(load_redaction(path))
    cleaned = redactor.clean(batch("ORD-12 for a@b.example", order="ORD-3"))
    assert cleaned.bodies == ["[redacted order] for a@b.example"]
    assert cleaned.attributes == [pack({"order": "[redacted order]"})]
    assert redactor.counts == {"order": 2}
    redactor.use(Redaction(cards=False, tokens=False, emails=False))
    assert redactor.clean(batch("4111111111111111 a@b.example")).bodies == [
        "4111111111111111 a@b.example"
    ]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{name: a, pattern: '('}", "is no pattern"),
        ("{name: a, pattern: 'x*'}", "matches a text of no characters"),
        ("{name: a}", "pattern"),
    ],
)
def test_a_rule_that_can_not_be_meant_is_told(tmp_path: Path, rule: str, message: str) -> None:
    """An operator would think that something is hidden which is not."""
    path = tmp_path / "redaction.yaml"
    path.write_text(f"rules:\n- {rule}\n")
    with pytest.raises(DocumentError, match=message):
        load_redaction(path)
