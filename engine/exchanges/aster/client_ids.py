"""Our client ids as Aster's text: `botctl-4294967303` is the client id as the bot's own log writes it.

Aster takes `^[\\.A-Z\\:/a-z0-9_-]{1,36}$` and asks for uniqueness among open orders. Any other text is
somebody else's.
"""

from __future__ import annotations

import re

from engine.model.ids import ClientIdScheme

CLIENT_IDS = ClientIdScheme(tag_bits=16, sequence_bits=32)

_OURS = re.compile(r"botctl-(0|[1-9][0-9]{0,14})")
_ROOM = 1 << (CLIENT_IDS.tag_bits + CLIENT_IDS.sequence_bits)


def client_id_text(client_id: int) -> str:
    return f"botctl-{client_id}"


def client_id_of(text: str) -> int | None:
    """None for text we never write."""
    found = _OURS.fullmatch(text)
    return int(found[1]) if found is not None and int(found[1]) < _ROOM else None
