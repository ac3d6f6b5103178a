"""Colours, palettes and colour vision."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import QueryError
from collectors.graph.color import Color, parse_color
from collectors.graph.palettes import color_picker, gradient, java_hash, palette_colors
from collectors.graph.themes import theme_named
from collectors.graph.vision import Vision, seen_as


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("f00", Color(255, 0, 0)),
        ("00ff7f", Color(0, 255, 127)),
        ("40FF0000", Color(255, 0, 0, 64)),
        ("blue1", Color(0x21, 0x71, 0xB5)),
    ],
)
def test_a_color_is_read(text: str, color: Color) -> None:
    """A colour that an expression names would be drawn as another."""
    assert parse_color(text) == color


@pytest.mark.parametrize("text", ["", "f", "ff", "ffff", "fffffff", "ggg", "blue4", "0x1", "١٢٣"])
def test_what_is_no_color_is_refused_with_its_text(text: str) -> None:
    """A typing error in a colour would be drawn as some colour."""
    with pytest.raises(QueryError, match="invalid color") as caught:
        parse_color(text)
    assert text in caught.value.message
    assert caught.value.kind == "IllegalArgumentException"


def test_named_shades_turn_around_on_a_dark_ground() -> None:
    """The faint shade would be the brightest on a dark page."""
    assert parse_color("red1", dark=True) == parse_color("red3")
    assert parse_color("red2", dark=True) == parse_color("red2")


def test_colors_are_given_out_in_order_and_begin_again() -> None:
    """Lines would change colour, or run out of colours."""
    pick = color_picker("colors:f00,0f0")
    assert [pick("x").rgba_hex for _ in range(3)] == ["ff0000ff", "00ff00ff", "ff0000ff"]


def test_a_hashed_palette_gives_a_label_the_same_color_on_every_graph() -> None:
    """A cluster would be blue on one graph and red on the next."""
    first, second = color_picker("hash:armytage"), color_picker("hash:armytage")
    second("something else")
    assert first("nccp-ps3") == second("nccp-ps3")


@pytest.mark.parametrize(
    ("text", "value"),
    [("", 0), ("a", 97), ("hello world", 1794106052), ("polygenelubricants", -(2**31))],
)
def test_the_hash_is_that_of_java_strings(text: str, value: int) -> None:
    """A label would have another colour than in Atlas."""
    assert java_hash(text) == value


@given(st.text(max_size=60))
def test_any_palette_name_gives_colors_or_a_query_error(text: str) -> None:
    """A stranger's palette would be an internal error."""
    try:
        colors = palette_colors(text)
    except QueryError:
        return
    assert colors


def test_the_list_form_of_a_palette_is_read() -> None:
    """A palette given as a list of colours would be refused."""
    assert palette_colors("(,8cd1b9,46adbc,)") == (Color(0x8C, 0xD1, 0xB9), Color(0x46, 0xAD, 0xBC))


def test_a_gradient_ends_in_the_color_itself() -> None:
    """The fullest cell of a heat map would not have its colour."""
    shades = gradient(Color(200, 0, 0))
    assert shades[-1] == Color(200, 0, 0)
    assert shades[0].green > shades[1].green > shades[-1].green


@pytest.mark.parametrize("vision", list(Vision))
def test_white_and_black_look_alike_to_everybody(vision: Vision) -> None:
    """The simulation of colour blindness would tint the page."""
    assert seen_as(Color(255, 255, 255), vision) == Color(255, 255, 255)
    assert seen_as(Color(0, 0, 0, 9), vision) == Color(0, 0, 0, 9)


def test_red_and_green_come_closer_without_red_cones() -> None:
    """The simulation would show colours that its subject can't tell apart."""
    red, green = Color(255, 0, 0), Color(0, 255, 0)
    seen = seen_as(red, Vision.PROTANOPIA), seen_as(green, Vision.PROTANOPIA)
    assert abs(seen[0].red - seen[1].red) < 50


def test_an_unknown_theme_is_refused_with_what_is_known() -> None:
    """A typing error in a theme would be drawn as the default."""
    with pytest.raises(QueryError, match="light, dark"):
        theme_named("neon")
