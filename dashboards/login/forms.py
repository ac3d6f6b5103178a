"""The two forms, readable without scripts and without anything from elsewhere."""

from __future__ import annotations

from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · tocsin</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ display: grid; place-items: center; min-height: 90vh; margin: 0 1rem; }}
main {{ width: min(26rem, 100%); }}
h1 {{ font-size: 1.4rem; }}
label {{ display: block; font-weight: 600; }}
input, button {{ font: inherit; width: 100%; box-sizing: border-box; }}
input, button {{ padding: .6rem; margin: .4rem 0; }}
button {{ font-weight: 600; cursor: pointer; }}
.told {{ border-left: .3rem solid #b3261e; padding-left: .7rem; }}
</style>
</head>
<body><main>{content}</main></body>
</html>
"""

_SIGN_IN = """<h1>Sign in to tocsin</h1>{told}
<form method="post" action="/login">
<input type="hidden" name="next" value="{back}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" autofocus required
 aria-describedby="how">
<button type="submit">Sign in</button>
<p id="how">An administrator makes one: <code>tocsin token create NAME --role responder</code></p>
</form>"""

_SIGN_OUT = """<h1>Signed in as {name}</h1>
<form method="post" action="/logout"><button type="submit">Sign out</button></form>
<p><a href="/">Back to the pages</a></p>"""


def sign_in(back: str, told: str = "") -> str:
    """Return the page that asks for a token.

    Args:
        back: Where to go after.
        told: Why the last one was not taken.
    """
    said = f'<p class="told" role="alert">{escape(told)}</p>' if told else ""
    content = _SIGN_IN.format(told=said, back=escape(back, quote=True))
    return _PAGE.format(title="Sign in", content=content)


def sign_out(name: str) -> str:
    """Return the page with the button that signs ``name`` out."""
    return _PAGE.format(title="Sign out", content=_SIGN_OUT.format(name=escape(name)))
