"""Which of the two legacy forms a text is, and its settings as a flat list, each under the one name used here.

Form one, a single file for the old daemon, with the trading program's flags in a list:

    {"python_path": "…", "auto_restart": true, "bot_args": ["--exchange", "backpack", "--grid-num", "45", …]}

or the same settings as plain keys beside `exchange`, `symbol` and `strategy`. Form two, four sections:

    {"metadata": {…}, "daemon_config": {…}, "exchange_config": {…}, "strategy_config": {…}}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from engine.errors import ConfigInvalid
from engine.model.value import Value
from engine.spec.document import MAX_FILE_BYTES
from engine.spec.legacy.names import name_of
from engine.spec.masking import mask

SECTIONS = ("strategy_config", "exchange_config", "daemon_config", "metadata")
"""In the order of their weight: where two say the same thing, the earlier one counts."""
FLAGS = "bot_args"
NEEDED = frozenset({"exchange", "symbol", "strategy"})
"""Without these nobody knows what a configuration trades."""

Setting = str | bool | Decimal | None
_PLAIN_ENOUGH = 40
_PEOPLE = (
    "a bot of the earlier program is one JSON object with `bot_args`, or one with the four sections "
    + ", ".join(sorted(SECTIONS))
)


class Form(StrEnum):
    SINGLE_FILE = "single file"
    FOUR_SECTIONS = "four sections"


class Field(Value, frozen=True, kw_only=True):
    """One setting: where it stood, the name it goes by here, its value. A list or an object that no setting is
    has the value None, and `is_nested`."""

    path: str
    name: str
    value: Setting
    is_nested: bool = False


class Legacy(Value, frozen=True, kw_only=True):
    """One file: every setting by its name, and those that another one of the same name outweighs."""

    form: Form
    fields: dict[str, Field]
    outweighed: tuple[tuple[Field, Field], ...]
    """Each with the one that counts."""


def read_legacy(text: str) -> Legacy:
    """The settings of a file; ConfigInvalid, which never repeats a value, when it is neither of the forms."""
    document = _parsed(text)
    is_sectioned = {"exchange_config", "strategy_config"} <= document.keys()
    found = list(_in_sections(document) if is_sectioned else _in_one_file(document))
    fields: dict[str, Field] = {}
    outweighed = []
    for field in found:
        first = fields.setdefault(field.name, field)
        if first is not field:
            outweighed.append((field, first))
    if missing := NEEDED - fields.keys():
        raise ConfigInvalid(f"it does not say which {', '.join(sorted(missing))}", hint=_PEOPLE)
    form = Form.FOUR_SECTIONS if is_sectioned else Form.SINGLE_FILE
    return Legacy(form=form, fields=fields, outweighed=tuple(outweighed))


def _parsed(text: str) -> dict[str, object]:
    if len(text) > MAX_FILE_BYTES:
        raise ConfigInvalid(f"it holds more than {MAX_FILE_BYTES >> 10} KiB", hint=_PEOPLE)
    try:
        document = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        words = f"it is no JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise ConfigInvalid(words, hint=_PEOPLE) from None
    except (RecursionError, ValueError, InvalidOperation):
        raise ConfigInvalid("it is no JSON that can be read", hint=_PEOPLE) from None
    if not isinstance(document, dict):
        raise ConfigInvalid("it is no JSON object", hint=_PEOPLE)
    return document


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _in_sections(document: Mapping[str, object]) -> Iterator[Field]:
    """The sections first; what strays beside them counts where they say nothing."""
    for section in SECTIONS:
        inside = document.get(section)
        if isinstance(inside, Mapping):
            yield from (_field(f"{section}.{shown(key)}", key, value) for key, value in inside.items())
        elif section in document:
            yield Field(path=section, name=section, value=None, is_nested=True)
    yield from (_field(shown(key), key, value) for key, value in document.items() if key not in SECTIONS)


def _in_one_file(document: Mapping[str, object]) -> Iterator[Field]:
    """Flags first: they are what the trading program was started with."""
    flags = document.get(FLAGS)
    if isinstance(flags, list):
        yield from _flags(flags)
    yield from (
        _field(shown(key), key, value)
        for key, value in document.items()
        if key != FLAGS or not isinstance(flags, list)
    )


def _flags(arguments: list[object]) -> Iterator[Field]:
    """`--name value`, `--name=value`, `--name`, and `--disable-name` for a no; the last of each counts, as it did
    for the old program."""
    found: dict[str, Field] = {}
    words = [word if isinstance(word, str) else "" for word in arguments]
    at = 0
    while at < len(words):
        path, word = f"{FLAGS}[{at}]", words[at]
        at += 1
        if not word.startswith("--"):
            found[path] = Field(path=path, name=path, value=None, is_nested=True)
            continue
        flag, has_value, value = word.partition("=")
        if not has_value and at < len(words) and not words[at].startswith("--"):
            has_value, value, at = "=", words[at], at + 1
        name, setting = flag.removeprefix("--").replace("-", "_"), value if has_value else True
        if name.startswith("disable_") and not has_value:
            name, setting = f"enable_{name.removeprefix('disable_')}", False
        field = _field(f"{FLAGS} {shown(flag)}", name, setting)
        found[field.name] = field
    yield from found.values()


def _field(path: str, key: str, value: object) -> Field:
    if value is None or isinstance(value, str | bool | Decimal):
        return Field(path=path, name=name_of(key), value=value)
    return Field(path=path, name=name_of(key), value=None, is_nested=bool(value))


def shown(key: str) -> str:
    """A key as a message may show it: even a key may be a secret that somebody pasted."""
    masked = mask("".join(char if char.isprintable() else "?" for char in key))
    return masked if len(masked) <= _PLAIN_ENOUGH else f"{masked[:_PLAIN_ENOUGH]}…"
