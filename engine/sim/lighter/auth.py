"""Who signed: transactions and auth tokens, verified by the public scheme. Verdicts are kept, because a token is
shown with every read and a signature costs milliseconds.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from engine.clock import NS_PER_S
from engine.exchanges.lighter.field import Element
from engine.exchanges.lighter.schnorr import from_base64, verify
from engine.exchanges.lighter.transactions import text_hash
from engine.sim.lighter.errors import INVALID_SIGNATURE, INVALID_TOKEN, KEY_NOT_FOUND, RATE_LIMITED, ApiRefusal
from engine.sim.lighter.state import Key, LighterState

MINUTE_NS = 60 * NS_PER_S
VERDICTS_KEPT = 4_096

_WEIGHTS = {"sendTx": 6, "sendTxBatch": 6, "nextNonce": 6, "accountInactiveOrders": 100, "trades": 600}
_USUAL_WEIGHT = 300
"""What a premium account's requests weigh; a standard one's all count alike."""


class Gate:
    """Checks signatures, tokens and how often an account asks."""

    def __init__(self, state: LighterState) -> None:
        self._state = state
        self._verdicts: OrderedDict[tuple[bytes, Element, bytes], bool] = OrderedDict()
        self._asked: dict[str, deque[tuple[int, int]]] = {}
        """When each account asked within the last minute, and what that weighed."""

    def key(self, account_index: int, api_key_index: int) -> Key:
        self._state.name_of(account_index)
        key = self._state.keys.get((account_index, api_key_index))
        if key is None:
            raise ApiRefusal(KEY_NOT_FOUND)
        return key

    def check_transaction(self, key: Key, message: Element, signature: str) -> None:
        """Raises ApiRefusal unless the key signed this hash."""
        try:
            data = from_base64(signature)
        except ValueError:
            raise ApiRefusal(INVALID_SIGNATURE) from None
        if self._state.settings.verify_signatures and not self._is_signed(key.public_key, message, data):
            raise ApiRefusal(INVALID_SIGNATURE)

    def token_owner(self, token: str, now_ns: int) -> tuple[int, int]:
        """(account index, deadline in s) of a good auth token; raises ApiRefusal."""
        message, _, signature = token.rpartition(":")
        try:
            deadline_s, account_index, api_key_index = (int(part) for part in message.split(":"))
            data = bytes.fromhex(signature)
        except ValueError:
            raise ApiRefusal(INVALID_TOKEN) from None
        now_s = now_ns // NS_PER_S
        if not now_s <= deadline_s <= now_s + self._state.settings.token_life_max_s:
            raise ApiRefusal(INVALID_TOKEN, more="expired")
        key = self.key(account_index, api_key_index)
        if not self._is_signed(key.public_key, text_hash(message), data):
            raise ApiRefusal(INVALID_TOKEN)
        return account_index, deadline_s

    def count(self, account: str, name: str, now_ns: int) -> None:
        """One more request of an account within the last minute, by the name of what it asks for."""
        settings = self._state.settings
        if settings.requests_per_minute is None:
            return
        most, weight = settings.requests_per_minute, 1
        if account in self._state.premium:
            most, weight = settings.premium_weight_per_minute, _WEIGHTS.get(name, _USUAL_WEIGHT)
        asked = self._asked.setdefault(account, deque())
        while asked and asked[0][0] <= now_ns - MINUTE_NS:
            asked.popleft()
        if sum(weight for _, weight in asked) + weight > most:
            raise ApiRefusal(RATE_LIMITED, status=settings.limit_status)
        asked.append((now_ns, weight))

    def _is_signed(self, public_key: bytes, message: Element, signature: bytes) -> bool:
        claim = (public_key, message, signature)
        if claim not in self._verdicts:
            self._verdicts[claim] = verify(*claim)
            if len(self._verdicts) > VERDICTS_KEPT:
                self._verdicts.popitem(last=False)
        return self._verdicts[claim]
