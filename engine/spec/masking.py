"""Hides what may be a secret in a line before a diagnostic shows it. Works on text, so that it also holds for
files that cannot be parsed; a harmless word masked by mistake costs nothing."""

from __future__ import annotations

import re

MASK = "***"

SECRET_PLACES = frozenset({"credentials", "proxy", "token", "webhook", "password", "heartbeat"})
"""What stands under these keys is a reference to a secret, wherever in a file they are."""

_CREDENTIALS = re.compile(r"(?P<indent>\s*)[\"']?(credentials|proxy|token|webhook|heartbeat)[\"']?\s*:")
_SECRET_KEY = re.compile(
    r"(?i)(key|secret|token|password|passphrase|mnemonic|credentials|proxy|webhook|heartbeat)[\"']?\s*:"
)
_PASSWORD = re.compile(r"(?<=://)[^\s/@]+(?=@)")
_LONG_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{32,}")
_WORD = re.compile(
    r"""(?P<shown> \$\{[A-Za-z_]\w{0,60}\} (?=[\s,}"']|$)     # a reference
                 | [a-z_]{1,20} (?=["']?\s*:(?:\s|$))         # a key
                 | [\s,:{}"'] )                               # punctuation
      | (?P<hidden> [^\s,{}"']+ )""",
    re.VERBOSE,
)


def mask_lines(lines: list[str]) -> list[str]:
    """The lines of a file, with everything under `credentials:` and everything that looks like a key hidden."""
    masked = []
    inside: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if inside is not None and line.strip() and indent <= inside:
            inside = None
        if block := _CREDENTIALS.match(line):
            inside = len(block["indent"])
        named = _SECRET_KEY.search(line)
        start = named.start() if named else len(line)
        if inside is not None and block is None:
            start = 0
        masked.append(mask(line[:start]) + _mask_words(line[start:]))
    return masked


def mask(text: str) -> str:
    """A value for a message, less anything as long as a key, and less who an address is for: it may be a token."""
    return _LONG_TOKEN.sub(MASK, _PASSWORD.sub(MASK, text))


def _mask_words(line: str) -> str:
    return _WORD.sub(lambda word: word["shown"] or MASK, line)
