"""Every venue that signs can tell, without keys and without asking, whether its signatures are right."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ConfigInvalid
from engine.exchanges.aster import signing as aster
from engine.exchanges.backpack import signing as backpack
from engine.exchanges.interface import SelfCheckingVenue
from engine.exchanges.lighter import native, schnorr
from engine.exchanges.paradex import signing as paradex
from engine.exchanges.registry import BUILT_IN, find_venue

OTHER_TEXT = b"something else"


def checked(name: str) -> None:
    venue = find_venue(name)
    assert isinstance(venue, SelfCheckingVenue)
    venue.self_check()


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_signer_that_works_passes_its_self_check(name: str) -> None:
    checked(name)


@pytest.mark.parametrize(
    ("name", "module", "function", "broken"),
    [
        ("backpack", backpack, "crypto_sign", lambda real: lambda _, key: real(OTHER_TEXT, key)),
        ("aster", aster, "_message_digest", lambda real: lambda domain, _: real(domain, "something else")),
        ("paradex", paradex, "sign", lambda real: lambda key, hashed: real(key, hashed + 1)),
        ("paradex", paradex, "verify", lambda _: lambda *_: False),
        ("lighter", schnorr, "sign", lambda real: lambda secret, hashed: real(secret + 1, hashed)),
    ],
)
def test_a_signer_that_signs_something_else_fails_it(
    name: str, module: Any, function: str, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, function, broken(getattr(module, function)))
    with pytest.raises(ConfigInvalid, match="self-check"):
        checked(name)


def test_a_native_signer_that_cannot_be_trusted_fails_lighters(monkeypatch: pytest.MonkeyPatch) -> None:
    def untrusted() -> None:
        raise ConfigInvalid("Lighter's native signer failed its self-check")

    monkeypatch.setattr(native, "load", untrusted)
    with pytest.raises(ConfigInvalid, match="native"):
        checked("lighter")
