"""Exposition pages made up at random, their mutants, and how the grammar alone reads them.

The reading here has no memory and no short cuts: each line by itself. Whatever else reads pages has
to agree with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from collectors.errors import DecodeError
from collectors.metric_kinds import MetricType, family_kind
from collectors.receivers.prometheus.exposition.line import parse_line
from collectors.receivers.prometheus.exposition.metadata import is_metadata, is_type, parse_type

# Name, sorted labels, kind, value as its shortest text, time, start.
Sample = tuple[str, tuple[tuple[str, str], ...], str, str, int, int]
Traced = tuple[str, tuple[tuple[str, str], ...], str, int]

NAMES = (
    "a",
    "b:c",
    "hits_total",
    "lat_bucket",
    "lat_sum",
    "lat_count",
    "lat",
    "_x9",
    "lat_created",
)
QUOTED_NAMES = ("a.b", "東京", "with space", 'q"uote', "back\\slash", "a")
LABELS = ("x", "le", "quantile", "_l", "job", "name")
QUOTED_LABELS = ("x.y", "größe", "sp ace", "x")
VALUES = (
    "",
    "1",
    "0.5",
    "+Inf",
    "a b",
    "a # {b} 1",
    'say "hi"',
    "back\\",
    "new\nline",
    "東",
    "}",
    "x 1",
)
NUMBERS = (
    "0", "1", "-1", "+2.5", ".5", "5.", "1e3", "1.5E-7", "+Inf", "-Inf", "inf", "NaN", "nan",
    "1e308", "0.1", "9007199254740993", "00", "1e+05", "Infinity",
)  # fmt: skip
WRONG_NUMBERS = ("1_000", "0x1p3", "0x1F", "1e999", "one", "1,5", "--1", "e5", "1e", "٣", "")
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
OPEN_TYPES = ("counter", "gauge", "histogram", "summary", "unknown", "gaugehistogram", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPage:
    """What a page says."""

    samples: list[Sample]
    exemplars: list[Traced]
    refused: list[str] = field(default_factory=list)


def read_alone(body: bytes, openmetrics: bool) -> ReadPage | None:
    """Return what a page says to somebody who knows nothing yet, None if it is wrong."""
    try:
        return read_by_grammar(body, openmetrics, {})[0]
    except DecodeError:
        return None


def read_by_grammar(
    body: bytes, openmetrics: bool, told: Mapping[str, MetricType]
) -> tuple[ReadPage, dict[str, MetricType]]:
    """Return what a page says, and the types that hold after it.

    Args:
        body: The page.
        openmetrics: Its format.
        told: The types that held before it.

    Raises:
        DecodeError: A line of it is wrong.
    """
    body = body.replace(b"\r\n", b"\n").removesuffix(b"\r")
    lines = body.removesuffix(b"\n").split(b"\n") if body else []
    if openmetrics and (not lines or lines.pop() != b"# EOF" or b"# EOF" in lines):
        raise DecodeError("the page does not end in its only # EOF")
    comments = [line.strip(b" \t") for line in lines if line.strip(b" \t").startswith(b"#")]
    page = ReadPage(samples=[], exemplars=[], refused=[])
    types = {**told, **_types(comments, page.refused)}
    for line in lines:
        stripped = line.strip(b" \t")
        if stripped.startswith(b"#"):
            if openmetrics and not (is_metadata(line) or is_type(line)):
                raise DecodeError("OpenMetrics has no such comment")
        elif stripped:
            _read_line(stripped, openmetrics, types, page)
        elif openmetrics:
            raise DecodeError("OpenMetrics has no empty lines")
    page.refused.sort()
    return page, types


def _types(comments: Sequence[bytes], refused: list[str]) -> dict[str, MetricType]:
    types: dict[str, MetricType] = {}
    for comment in comments:
        try:
            found = parse_type(comment)
        except DecodeError:
            refused.append("invalidType")
            continue
        if found and types.setdefault(*found) != found[1]:
            refused.append("contradictingType")
    return types


def _read_line(
    line: bytes, openmetrics: bool, types: Mapping[str, MetricType], page: ReadPage
) -> None:
    try:
        found = parse_line(line.decode("utf-8"), openmetrics)
    except UnicodeDecodeError as error:
        raise DecodeError("not UTF-8") from error
    samples = [(part.suffix, part.label, part.value) for part in found.parts]
    for suffix, label, value in samples or [("", None, found.value)]:
        name = found.name + suffix
        labels = sorted({**found.labels, **dict([label] if label else [])}.items())
        kind = family_kind(name, types).value
        time_ms, start_ms = found.tail.time_ms, found.tail.start_ms
        page.samples.append((name, tuple(labels), kind, repr(value), time_ms, start_ms))
    name, first, *_ = page.samples[-max(1, len(samples))]
    for exemplar in found.tail.exemplars:
        page.exemplars.append((name, first, repr(exemplar.value), exemplar.time_ms))
    page.refused.extend(["invalidExemplar"] if found.tail.bad_exemplar else [])
    page.refused.extend(["nativeBuckets"] if found.native else [])


class PageWriter:
    """Writes pages, right ones and wrong ones.

    Args:
        random: Makes every choice.
        openmetrics: The format.
        quoted: Whether names and labels may be any UTF-8, in quotes.
        lenient: Whether pages may have what is read here and not by Prometheus.
        now_ms: Around what times are.
    """

    def __init__(
        self,
        random: Random,
        openmetrics: bool,
        *,
        quoted: bool = True,
        lenient: bool = True,
        now_ms: int = 1_700_000_000_000,
    ) -> None:
        self._random = random
        self._openmetrics = openmetrics
        self._quoted = quoted
        self._lenient = lenient
        self._now_ms = now_ms
        # Old ones of Prometheus don't take a comma at the end there.
        self._strict_commas = openmetrics and not lenient

    def page(self) -> bytes:
        """Return a page that is right."""
        lines = [self._line() for _ in range(self._random.randint(0, 12))]
        ending = "\r\n" if self._lenient and self._chance(8) else "\n"
        if self._openmetrics:
            lines.append("# EOF")
        text = ending.join(lines) + ending
        if self._openmetrics and self._chance(6):
            text = text.removesuffix(ending)
        return text.encode()

    def successor(self, page: bytes) -> bytes:
        """Return a page like another, with other numbers here and there and perhaps a mistake."""
        random = self._random
        ending = b"\r\n" if b"\r\n" in page else b"\n"
        lines = page.split(ending)
        changes: Sequence[Callable[[list[bytes]], None]] = (
            self._renumber, self._renumber, self._renumber, self._drop, self._repeat, self._insert,
            self._swap,
        )  # fmt: skip
        for _ in range(random.randint(1, 4)):
            random.choice(changes)(lines)
        body = ending.join(lines)
        return self.mutant(body) if self._chance(3) else body

    def mutant(self, page: bytes) -> bytes:
        """Return a page with a few bytes changed."""
        random = self._random
        body = bytearray(page)
        letters = b' \t"{}=,\\#_aeE+-.019nNfT\n' + (b"\r\0\x0b\xff\x85" if self._lenient else b"")
        for _ in range(random.randint(1, 3)):
            at = random.randint(0, len(body))
            match random.randint(0, 3):
                case 0:
                    body[at:at] = bytes([random.choice(letters)])
                case 1:
                    del body[at : at + random.randint(1, 4)]
                case 2:
                    body[at : at + 1] = bytes([random.choice(letters)])
                case _:
                    begin = random.randint(0, len(body))
                    body[at:at] = body[begin : begin + random.randint(1, 20)]
        return bytes(body)

    def _renumber(self, lines: list[bytes]) -> None:
        at = self._random.randrange(len(lines))
        start, blank, last = lines[at].rpartition(b" ")
        wrong = self._chance(12)
        text = self._random.choice(WRONG_NUMBERS if wrong else NUMBERS).encode()
        if last and not start.startswith(b"#") and self._chance(1):
            lines[at] = start + blank + text

    def _drop(self, lines: list[bytes]) -> None:
        lines.pop(self._random.randrange(len(lines)))
        if not lines:
            lines.append(b"")

    def _repeat(self, lines: list[bytes]) -> None:
        lines.insert(self._random.randrange(len(lines)), self._random.choice(lines))

    def _insert(self, lines: list[bytes]) -> None:
        lines.insert(self._random.randrange(len(lines)), self._line().encode())

    def _swap(self, lines: list[bytes]) -> None:
        one, other = (self._random.randrange(len(lines)) for _ in range(2))
        lines[one], lines[other] = lines[other], lines[one]

    def _chance(self, of: int) -> bool:
        return self._random.randrange(of) == 0

    def _line(self) -> str:
        kinds = [self._sample] * 6 + [self._type] * 3 + [self._help]
        if not self._openmetrics:
            kinds += [lambda: "", lambda: "# a comment", lambda: "#none"]
        line = self._random.choice(kinds)()
        if self._lenient and self._chance(6) and not (self._openmetrics and line[:1] == "#"):
            line = self._random.choice([" ", "\t ", ""]) + line + self._random.choice([" ", ""])
        return line

    def _type(self) -> str:
        word = self._random.choice(OPEN_TYPES if self._openmetrics else TYPES)
        if self._lenient and self._chance(10):
            word = self._random.choice(["Counter", "guage", "", "counter "])
        return f"# TYPE {self._family()} {word}"

    def _help(self) -> str:
        text = self._random.choice(["", "Some help.", "with  blanks ", "a 1", '\\n "x"'])
        return f"# HELP {self._family()} {text}"

    def _family(self) -> str:
        return self._random.choice(("a", "b:c", "hits", "lat", "hits_total", "_x9"))

    def _sample(self) -> str:
        blank = self._blank()
        line = self._series() + blank + self._random.choice(NUMBERS)
        if self._openmetrics and self._lenient and self._chance(10):
            line = self._composite()
        if self._chance(4):
            line += self._blank() + self._time()
        if self._openmetrics and self._lenient and self._chance(8):
            line += " st@" + self._time()
        can_have = self._lenient or line.startswith(("hits_total", "lat_bucket"))
        if self._openmetrics and can_have and self._chance(4):
            line += "".join(self._exemplar() for _ in range(2 if self._lenient else 1))
        return line

    def _composite(self) -> str:
        bounds = self._random.choice(["bucket:[0.1:1,+Inf:2]", "quantile:[0.5:7]", "bucket:[]", ""])
        return (
            f"{self._random.choice(NAMES)} {{count:2,sum:{self._random.choice(NUMBERS)},{bounds}}}"
        )

    def _series(self) -> str:
        random = self._random
        pairs = self._pairs(random.choice((0, 0, 1, 1, 2, 3)))
        if self._quoted and self._chance(5):
            parts = [_quote(random.choice(QUOTED_NAMES)), *pairs]
            return "{" + ",".join(parts) + "}"
        name = random.choice(NAMES)
        if not pairs and not self._chance(8):
            return name
        spaced = not self._openmetrics and self._chance(6)
        closing = "," if pairs and self._chance(8) and not self._strict_commas else ""
        inside = self._comma().join(pairs) + closing
        return f"{name}{' ' if spaced else ''}{{{' ' if spaced else ''}{inside}}}"

    def _pairs(self, count: int) -> list[str]:
        labels = self._random.sample(LABELS, count)
        if self._quoted and self._chance(4):
            labels = [_quote(label) for label in self._random.sample(QUOTED_LABELS, count)]
        equals = " = " if not self._openmetrics and self._chance(8) else "="
        return [label + equals + _quote(self._random.choice(VALUES)) for label in labels]

    def _comma(self) -> str:
        choices = (",", ", ", " , ", " ") if not self._openmetrics else (",",)
        return self._random.choice(choices) if self._chance(6) else ","

    def _blank(self) -> str:
        if self._chance(6) and (not self._openmetrics or self._lenient):
            return self._random.choice(["  ", "\t", "     ", " \t "])
        return " "

    def _time(self) -> str:
        time_ms = self._now_ms - self._random.randrange(0, 60_000)
        if not self._openmetrics:
            return str(time_ms)
        return self._random.choice([f"{time_ms / 1_000}", f"{time_ms // 1_000}", "1.7e9"])

    def _exemplar(self) -> str:
        labels = self._random.choice(['trace_id="ab"', "", 'a="b # {",c="d"'])
        if self._lenient and self._chance(8):
            labels = self._random.choice(['a="b', 'a="' + "x" * 130 + '"', '"a"', "a"])
        time = " " + self._time() if self._chance(2) else ""
        return f" # {{{labels}}} {self._random.choice(NUMBERS)}{time}"


def _quote(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'"{escaped}"'
