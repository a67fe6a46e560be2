"""Our client ids as Aster's text: `botctl-0001-00000007` is tag 1, sequence 7, both in hex.

Aster takes `^[\\.A-Z\\:/a-z0-9_-]{1,36}$` and asks for uniqueness among open orders. Any other text is
somebody else's.
"""

from __future__ import annotations

import re

from engine.exchanges.aster.apis import CLIENT_IDS

_OURS = re.compile(r"botctl-([0-9a-f]{4})-([0-9a-f]{8})")


def client_id_text(client_id: int) -> str:
    return f"botctl-{CLIENT_IDS.tag_of(client_id):04x}-{CLIENT_IDS.sequence_of(client_id):08x}"


def client_id_of(text: str) -> int | None:
    """None for text we never write."""
    found = _OURS.fullmatch(text)
    return None if found is None else int(found[1], 16) << CLIENT_IDS.sequence_bits | int(found[2], 16)
