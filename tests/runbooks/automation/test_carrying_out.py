"""Steps that reach outside: only what is allowed, bounded, and strangers' values stay text."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ConfigError, InputError
from collectors.stacklang.evaluation.batch import parse
from runbooks.automation.allowing import Allowed, Host, Program, load_allowed
from runbooks.automation.carrying.asking_host import MAX_ANSWER_BYTES, ask, asked
from runbooks.automation.carrying.program import MAX_OUTPUT_BYTES, argv_of, run_program
from runbooks.automation.loading import load_library
from runbooks.automation.runbook import Request, Step, StepKind
from runbooks.automation.state import Outcome, StepState
from runbooks.automation.variables import (
    in_expression,
    in_header,
    in_json,
    in_path,
    scope_query,
    without,
)

NEVER = Event()


class Foreign(BaseHTTPRequestHandler):
    """A host that answers as its path says."""

    seen: list[tuple[str, str, str]] = []

    def do_GET(self) -> None:
        """Answer anything."""
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length).decode()
        self.seen.append((self.path, self.headers.get("authorization", ""), body))
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("location", "/secret")
            self.end_headers()
        elif self.path.startswith("/slow"):
            self.send_response(200)
            self.end_headers()
            for _ in range(50):
                time.sleep(0.05)
                self.wfile.write(b".")
        elif self.path.startswith("/large"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * (2 * MAX_ANSWER_BYTES))
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"fine")

    do_POST = do_GET  # noqa: N815 - as http.server wants it

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
        """Say nothing."""


@pytest.fixture(scope="module")
def foreign() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def sent(url: str, path: str, method: str = "GET", timeout_s: float = 5.0) -> Outcome:
    """Ask the host and return what became of it."""
    allowed = Allowed(
        hosts={"it": Host(url=url, methods=("GET", "POST"), paths=("/*",))},
        secrets={"key": "s3cret"},
    )
    request = Request(
        host="it", method=method, path=path, headers=(("Authorization", "Bearer {secret.key}"),)
    )
    return ask(asked(request, allowed, {}), (), timeout_s=timeout_s, cancelled=NEVER)


ANSWERS = [
    ("/fine", "GET", StepState.SUCCEEDED, "answered 200: fine"),
    ("/away", "GET", StepState.FAILED, "answered 302, a redirect: it is not followed"),
]


@pytest.mark.parametrize(("path", "method", "state", "text"), ANSWERS)
def test_answers(foreign: str, path: str, method: str, state: StepState, text: str) -> None:
    """A redirect is refused: it would lead where nobody allowed."""
    outcome = sent(foreign, path, method)
    assert (outcome.state, outcome.text) == (state, text)
    assert not any(path == "/secret" for path, _, _ in Foreign.seen)
    assert Foreign.seen[-1][1] == "Bearer s3cret"


def test_an_endless_answer_is_cut_off(foreign: str) -> None:
    """It drips for longer than it may; whether a POST was done then is not known."""
    began = time.monotonic()
    read, changed = (sent(foreign, "/slow", method, timeout_s=0.2) for method in ("GET", "POST"))
    assert time.monotonic() - began < 2
    assert (read.state, changed.state) == (StepState.FAILED, StepState.UNKNOWN)
    assert changed.text.endswith("whether it was done is not known")


def test_a_large_answer_is_bounded(foreign: str) -> None:
    """It costs no memory."""
    assert len(sent(foreign, "/large").text) < 3_000


def test_a_host_that_is_away(foreign: str) -> None:
    """Nothing was sent, so nothing was done: it has failed."""
    del foreign
    outcome = sent("http://127.0.0.1:1", "/x", "POST")
    assert outcome.state is StepState.FAILED
    assert "http://127.0.0.1:1 can't be reached" in outcome.text


REFUSED = [
    (Request(host="that", method="GET", path="/a"), {}, "names no host 'that'"),
    (Request(host="it", method="POST", path="/a"), {}, "does not allow POST"),
    (Request(host="it", method="GET", path="/b"), {}, "does not allow GET /b"),
    (Request(host="it", method="GET", path="/a/{x}/c"), {"x": ".."}, "can't stand in a path"),
    (Request(host="it", method="GET", path="/a", headers=(("X", "{x}"),)), {"x": "a\nB"}, "ASCII"),
    (Request(host="it", method="GET", path="/a/{y}"), {"x": "1"}, "{y} is not known"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "values", "message"), REFUSED)
def test_what_is_not_allowed_is_not_asked(
    request_: Request, values: dict[str, str], message: str
) -> None:
    """Before anything leaves this machine."""
    allowed = Allowed(hosts={"it": Host(url="http://h", methods=("GET",), paths=("/a*",))})
    with pytest.raises(InputError, match=message.replace("{", r"\{")):
        asked(request_, allowed, values)


ODD = st.text(min_size=1, max_size=40)


@given(value=ODD)
def test_any_value_is_one_token_of_an_expression(value: str) -> None:
    """Whatever a tag holds, the expression means the same."""
    if not value.strip():
        return
    expression = in_expression("name,x,:eq,tag,{v},:eq,:and,:sum", {"v": value})
    plain = in_expression("name,x,:eq,tag,{v},:eq,:and,:sum", {"v": "plain"})
    assert expression.count(":") == plain.count(":")
    assert expression.count(",") == plain.count(",")


@given(tags=st.dictionaries(ODD, ODD, max_size=3))
def test_any_tags_are_a_query(tags: dict[str, str]) -> None:
    """A scope of strangers' tags can be parsed."""
    known = {key: value for key, value in tags.items() if key.strip() and value.strip()}
    assert parse(f"name,x,:eq,{scope_query(known)},:and,:sum") is not None


@given(value=ODD)
def test_any_value_is_one_text_of_json(value: str) -> None:
    """And one segment of a path."""
    told = json.loads(in_json('{"a": "{v}", "b": ["{v}"]}', {"v": value}))
    assert told == {"a": value, "b": [value]}
    if value.strip(".") and not any("\ud800" <= char <= "\udfff" for char in value):
        path = in_path("/a/{v}/b", {"v": value})
        assert path.count("/") == 3
        assert not set("?#&") & set(path)


def test_a_strangers_value_names_no_secret() -> None:
    """What looks like a variable within a value stays as it is."""
    values = {"tag": "{secret.key}", "secret.key": "s3cret"}
    assert in_header("x {tag}", values) == "x {secret.key}"
    assert json.loads(in_json('{"a": "{tag}"}', values)) == {"a": "{secret.key}"}
    assert without("said s3cret", ["s3cret", ""]) == "said ***"


def program(*code: str, read_only: bool = False, **more: object) -> Program:
    """A program of some Python."""
    return Program(argv=(sys.executable, "-c", *code), read_only=read_only, **more)  # type: ignore[arg-type]


def ran(one: Program, timeout_s: float = 10.0) -> Outcome:
    """Run it to its end."""
    return run_program(
        list(one.argv), one, timeout_s=timeout_s, cancelled=NEVER, said=lambda _text: None
    )


def test_a_program_has_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process knows is not passed on."""
    monkeypatch.setenv("TOCSIN_API_TOKEN", "s3cret")
    code = "import os; print(sorted(k for k in os.environ if 'TOCSIN' in k or k == 'MINE'))"
    outcome = ran(program(code, environment={"MINE": "1"}))
    assert outcome.text == "['MINE']"


@pytest.mark.parametrize("read_only", [True, False])
def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path, read_only: bool) -> None:
    """Nothing goes on behind; what it changed by then is not known."""
    sign = tmp_path / "alive"
    child = f"import time; time.sleep(1.2); open({str(sign)!r}, 'w').write('x')"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    outcome = ran(program(code, read_only=read_only), timeout_s=0.6)
    assert outcome.state is (StepState.FAILED if read_only else StepState.UNKNOWN)
    assert outcome.text.startswith("killed: it took too long")
    time.sleep(0.9)
    assert not sign.exists()


def test_a_loud_program_is_bounded() -> None:
    """The end of what it says is kept."""
    outcome = ran(program("print('x' * 200_000); print('the end')"))
    assert outcome.text.endswith("the end")
    assert len(outcome.text) < MAX_OUTPUT_BYTES + 100


ARGUMENTS = [
    ("web-1.service", "web-1.service"),
    ("x; rm -rf /", None),
    ("$(id)", None),
    ("--force", None),
    ("a\nb", None),
]


@pytest.mark.parametrize(("value", "argument"), ARGUMENTS)
def test_arguments(value: str, argument: str | None) -> None:
    """A value matches its pattern entirely and is one argument; no shell ever sees it."""
    allowed = Program(
        argv=("/bin/systemctl", "restart", "{unit}"), parameters={"unit": "[a-z0-9.-]+"}
    )
    step = Step(
        id="s", title="S", kind=StepKind.COMMAND, run="r", arguments=(("unit", "{service.name}"),)
    )
    if argument is None:
        with pytest.raises(InputError):
            argv_of(step, allowed, {"service.name": value})
    else:
        assert argv_of(step, allowed, {"service.name": value})[2] == argument


MISTAKES = [
    ("hosts: {it: {url: http://h/path}}", "hosts.it.url", "scheme, host and port"),
    ("hosts: {it: {url: ftp://h}}", "hosts.it.url", "scheme, host and port"),
    ("hosts: {It: {url: http://h}}", "hosts.It", "is no name"),
    ("commands: {c: {argv: [ls]}}", "commands.c.argv[0]", "absolute path"),
    ("commands: {c: {argv: [/bin/ls, '{x}']}}", "commands.c.argv[1]", "not among the parameters"),
    (
        "commands: {c: {argv: [/bin/ls], parameters: {x: '['}}}",
        "commands.c.parameters.x",
        "regular",
    ),
]


@pytest.mark.parametrize(("text", "field", "message"), MISTAKES)
def test_mistakes_of_the_allow_list(tmp_path: Path, text: str, field: str, message: str) -> None:
    """File, line, field."""
    path = tmp_path / "automation.yaml"
    path.write_text(text + "\n")
    with pytest.raises(ConfigError, match=message) as caught:
        load_allowed(path)
    assert getattr(caught.value, "field", "") == field


STEP = "{{id: a, title: A, kind: {}}}"
UNRESOLVED = [
    ("steps", "http, host: it, path: /x", "names no host 'it'"),
    ("steps", "http, host: known, path: /x, method: POST", "allows GET for host known"),
    ("steps", "http, host: known, path: /x, headers: {X: '{secret.no}'}", "names no secret 'no'"),
    ("steps", "command, run: no", "names no command 'no'"),
    ("steps", "command, run: say", "takes the parameters word"),
    ("diagnose", "http, host: known, path: /x", None),
]


@pytest.mark.parametrize(("part", "step", "message"), UNRESOLVED)
def test_what_runbooks_name_and_nobody_allowed(
    tmp_path: Path, part: str, step: str, message: str | None
) -> None:
    """Told when the files are read, not at night."""
    other = "steps: [{id: z, title: Z, kind: manual}]\n" if part == "diagnose" else ""
    head = "name: mine\ntitle: Mine\napplies_to: [{rule: x}]\n"
    (tmp_path / "mine.yaml").write_text(f"{head}{other}{part}:\n- {STEP.format(step)}\n")
    allowed = Allowed(
        hosts={"known": Host(url="http://h", methods=("GET",))},
        commands={"say": Program(argv=("/bin/echo", "{word}"), parameters={"word": "a"})},
    )
    found = [error.message for error in allowed.mistakes(load_library(tmp_path))]
    assert (found == []) if message is None else (len(found) == 1 and message in found[0])
