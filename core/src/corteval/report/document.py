"""What every page of a report is made of: its style, scripts and policy, and harmless text."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import unicodedata
from functools import lru_cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

#: Parts of the script of the page of scores, in the order they are joined.
PARTS = ("data", "table", "exports", "draws", "charts", "detail", "compare", "start")

#: Where a name may go on in the next line: after signs, and between a name, a year and a name that
#: are written as one. None of it is within what escapes a character.
_BREAK = re.compile(
    r"(?<=.[._/@-])(?=.)|(?<=[a-z])(?=[A-Z]|\d{4}(?!\d))|(?<=[a-z]\d{4})(?=[A-Za-z])"
)


def asset(name: str) -> str:
    """Text of a file that pages are made of."""
    return (resources.files("corteval.report") / "assets" / name).read_text("utf-8")


def script() -> str:
    """The script of the page of scores: one function, of all parts."""
    return "".join(
        ['"use strict";\n(() => {\n', *(asset(f"page/{part}.js") for part in PARTS), "})();\n"]
    )


def plot() -> str:
    """Observable Plot and the parts of d3 that it rests on, as ``report-assets`` bundles them."""
    return asset("plot/plot.min.js")


def policy(css: str, *scripts: str) -> str:
    """Nothing but this style and these scripts, if any, may be used, and nothing loaded."""
    hashes = " ".join(f"'{_hash(text)}'" for text in scripts)
    allowed = f"script-src {hashes}; " if scripts else ""
    return (
        f"default-src 'none'; style-src '{_hash(css)}'; {allowed}"
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Of the templates; what they are given is escaped."""
    made = Environment(
        loader=PackageLoader("corteval.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["breaking"] = breaking
    return made


def clean(text: str) -> str:
    """`text` without characters that steer: controls and marks of direction become �."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") else c
        for c in text
    )


def breaking(name: str) -> Markup:
    """`name`, which may go on in the next line between its words, and not within one."""
    return Markup(_BREAK.sub("<wbr>", str(escape(name))))


def number(value: float) -> str | None:
    """Three decimals, without the zero before the point."""
    if not math.isfinite(value):
        return None
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
