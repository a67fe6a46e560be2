"""What is said beside the files about the one bot that is run: flags over its file, variables under it.

Both become documents of their own, called `command line` and `environment`, so that what is wrong with a flag is
told like what is wrong with a file: with its line, its column and the nearest valid key.

The layers of a bot that is run, from the weakest: defaults in the schemas, the environment, its files (`defaults:`
of fleet.yaml, the template, the bot file, an overlay), the command line. The loader lays them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from engine.errors import UsageError
from engine.model.instrument import plain
from engine.model.value import Value
from engine.spec.diagnostics import nearest
from engine.spec.durations import seconds_or_duration
from engine.spec.writing import settings_yaml, text_scalar

COMMAND_LINE = "command line"
ENVIRONMENT = "environment"
"""What the documents are called where a file's name would stand."""

PREFIX = "BOTCTL_RUN_"
FLAGS = {
    "name": "metadata.name",
    "exchange": "exchange.venue",
    "account": "exchange.account",
    "symbol": "exchange.market",
    "strategy": "strategy.kind",
    "interval": "strategy.requote_interval_s",
    "duration": "process.duration_s",
}
"""The settings that have a flag of their own, and a variable: --symbol is BOTCTL_RUN_SYMBOL."""

_TIMES = ("interval", "duration")
_KEY = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+")
_NESTED = "__"

Settings = dict[str, str]
"""YAML values by dotted path."""


class Said(Value, frozen=True, kw_only=True):
    """Whose settings they are: those of the declared bot called `bot`, those of the file `file` that stands in no
    bots/ and holds `text`, or, with neither, those of a bot that the command line makes."""

    bot: str = ""
    file: str = ""
    text: str = ""
    over: Settings = {}
    under: Settings = {}

    @property
    def beside(self) -> str:
        """The document that declares the bot, where bots/ does not."""
        return "" if self.bot else self.file or COMMAND_LINE

    @property
    def texts(self) -> dict[str, str]:
        """The documents that lie beside those of the workspace."""
        layers = {COMMAND_LINE: self.over, ENVIRONMENT: self.under}
        written = {name: settings_yaml(settings) for name, settings in layers.items() if settings}
        return {self.file: self.text, **written} if self.file else written

    def find(self, flag: str) -> str | None:
        """What a flag says, else its variable, as text."""
        found = self.over.get(FLAGS[flag]) or self.under.get(FLAGS[flag])
        return None if found is None else found.strip("'")


def said_by_flags(flags: Mapping[str, str | None], settings: Mapping[str, str]) -> Settings:
    """The layer above the files. A flag and a --set for one key are one too many: UsageError."""
    own = {FLAGS[flag]: _value(f"--{flag}", flag, text) for flag, text in flags.items() if text is not None}
    for key, text in settings.items():
        _require_key("--set", key)
        if key in own:
            flag = next(flag for flag, path in FLAGS.items() if path == key)
            raise UsageError(f"--{flag} and --set {key} say the same setting", hint="leave one of them out")
        _require_line(f"--set {key}", text)
    return {**own, **settings}


def said_by_environment(variables: Mapping[str, str]) -> Settings:
    """The layer below the files: BOTCTL_RUN_SYMBOL as --symbol, BOTCTL_RUN_RISK__MAX_POSITION as --set of
    risk.max_position. An empty variable says nothing; one that can mean nothing is a UsageError."""
    settings = {}
    for name, text in sorted(variables.items()):
        if not name.startswith(PREFIX) or not text:
            continue
        word = name.removeprefix(PREFIX).lower()
        if word in FLAGS:
            settings[FLAGS[word]] = _value(name, word, text)
        else:
            settings[_nested(name, word)] = text
            _require_line(name, text)
    return settings


def default_name(said: Said) -> str:
    """What a bot without a name is called: the same for the same flags, so that it goes on with its own journal."""
    words: Iterable[str | None] = (said.find("account"), said.find("symbol"), said.find("strategy"))
    joined = "-".join(word for word in words if word)
    return re.sub(r"[^a-z0-9]+", "-", joined.lower()).strip("-")[:40].rstrip("-")


def _nested(name: str, word: str) -> str:
    key = word.replace(_NESTED, ".")
    if _NESTED not in word:
        hint = nearest(name, [f"{PREFIX}{flag.upper()}" for flag in FLAGS])
        raise UsageError(f"{name} says no setting: a path has two underscores between its keys", hint=hint)
    _require_key(name, key)
    return key


def _value(what: str, flag: str, text: str) -> str:
    if flag not in _TIMES:
        return text_scalar(text)
    seconds = seconds_or_duration(text)
    if seconds is None:
        raise UsageError(f"{what} {text!r} is no time", hint="seconds, or for example 90s, 15m, 1h or 1h30m")
    return plain(seconds)


def _require_key(what: str, key: str) -> None:
    if not _KEY.fullmatch(key):
        raise UsageError(f"{what} {key!r} is no setting's path", hint="for example strategy.spread_bps")


def _require_line(what: str, text: str) -> None:
    if len(text.splitlines()) > 1:
        raise UsageError(f"{what} is more than one line", hint="write a file for that: botctl run FILE.yaml")
