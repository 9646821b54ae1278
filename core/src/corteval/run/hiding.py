"""Secrets that no log, event or record may show: tokens of the environment, keys in addresses."""

from __future__ import annotations

import json
import os
import re
from urllib.parse import quote

HIDDEN = "***"

#: Variables that hold secrets, by what is part of their names.
_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|ACCESS_KEY|PRIVATE_KEY", re.IGNORECASE
)
#: Shorter values are words like "none", which stand in any text.
_SHORTEST = 8
_USER = re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)")
_SIGNED = re.compile(
    r"(?<=[?&])((?:x-amz-|x-goog-)?(?:signature|credential|security-token)|sig|[a-z_]*token|"
    r"api_?key)=[^&\s\"'\\]+",
    re.IGNORECASE,
)


def is_secret(variable: str) -> bool:
    """Whether an environment variable is one that holds a secret, by its name."""
    return _SECRET.search(variable) is not None


def without_secrets(text: str) -> str:
    """`text` with what is secret in it replaced by stars."""
    for value in _values():
        text = text.replace(value, HIDDEN)
    if "://" in text or "=" in text:
        text = _USER.sub(HIDDEN, text)
        text = _SIGNED.sub(lambda found: f"{found[1]}={HIDDEN}", text)
    return text


def _values() -> list[str]:
    """Secrets and how quotes and addresses spell them; the longest first, for some are parts."""
    found: set[str] = set()
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and is_secret(name):
            found |= {value, repr(value)[1:-1], json.dumps(value)[1:-1], quote(value, safe="")}
    return sorted(found, key=len, reverse=True)
