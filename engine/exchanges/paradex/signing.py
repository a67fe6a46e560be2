"""Paradex's signatures in both directions: the codec makes them, the simulated venue checks them.

Signatures are not compared anywhere: another library may draw another k and be just as right.
"""

from __future__ import annotations

import msgspec
from fast_stark_crypto import sign, verify

from engine.exchanges.decimals import exact
from engine.exchanges.known import require_known
from engine.exchanges.messages import HttpRequest
from engine.exchanges.paradex.chains import TESTNET, Chain
from engine.exchanges.paradex.keys import ETHEREUM_KEY, StarkKeys, ethereum_address, keys_of
from engine.exchanges.paradex.typed_data import CONSTANT, MODIFY_ORDER, ORDER, REQUEST, Messages, felt
from engine.model.value import Value

AUTH_PATH = "/v1/auth"
"""What is signed, whatever the address of the request says behind it."""

JSON = ("Content-Type", "application/json")
QUANTA_DIGITS = 8
"""Sizes and prices are signed as whole units of 1e-8, cut off and not rounded."""

_SIDES = {"BUY": 1, "SELL": 2}
_PAIR = msgspec.json.Decoder(tuple[str, str])

_KNOWN_KEY = "0xfaed2798bedef4f57c8df327f2a23c08522b1ebb5cb3c5d86afa4dcea9567a40"
_KNOWN_ACCOUNT = 0x6DA12AC4188BB57E08FAE457900A32FE353C3B3E4E6FA7F2367350C3DBBED46
_KNOWN_SIGNATURE = (
    '["341417387316156025610836920992187055307089168333503707288260492786655972664",'
    '"2692284154852286299219938090964500427939400155948345553789625264357689928755"]'
)


class OrderTerms(Value, frozen=True, kw_only=True):
    """What both sides sign of an order. `kind` is LIMIT, MARKET, …; `order_id` is the changed order's."""

    market: str
    side: str
    kind: str
    size: str
    price: str
    timestamp_ms: int
    order_id: str | None = None


class Signer:
    """Signs for one key of one account."""

    def __init__(self, keys: StarkKeys, chain: Chain) -> None:
        self.keys = keys
        self._messages = Messages(chain.chain_id, keys.account)

    def order(self, terms: OrderTerms) -> str:
        """The `signature` of a new order, or of a change to a resting one."""
        return self._sign(order_struct(terms))

    def login(self, now_s: int, lifetime_s: int) -> HttpRequest:
        """The request for a JWT; the signature is good for `lifetime_s`."""
        struct = login_struct(now_s, now_s + lifetime_s)
        headers = (
            JSON,
            ("PARADEX-STARKNET-ACCOUNT", hex(self.keys.account)),
            ("PARADEX-STARKNET-SIGNATURE", self._sign(struct)),
            ("PARADEX-TIMESTAMP", str(now_s)),
            ("PARADEX-SIGNATURE-EXPIRATION", str(now_s + lifetime_s)),
        )
        return HttpRequest(method="POST", target=f"{AUTH_PATH}/{hex(self.keys.public_key)}", headers=headers)

    def onboarding(self, ethereum_key: int) -> HttpRequest:
        """The request that makes the account known to the venue; repeating it changes nothing."""
        headers = (
            JSON,
            ("PARADEX-ETHEREUM-ACCOUNT", ethereum_address(ethereum_key)),
            ("PARADEX-STARKNET-ACCOUNT", hex(self.keys.account)),
            ("PARADEX-STARKNET-SIGNATURE", self._sign(onboarding_struct())),
        )
        body = msgspec.json.encode({"public_key": hex(self.keys.public_key)})
        return HttpRequest(method="POST", target="/v1/onboarding", headers=headers, body=body)

    def _sign(self, struct: int) -> str:
        r, s = sign(self.keys.private_key, self._messages.hash(struct))
        return f'["{r}","{s}"]'


class Verifier:
    """Checks what was signed for one account."""

    def __init__(self, account: int, chain: Chain) -> None:
        self._messages = Messages(chain.chain_id, account)

    def accepts(self, public_key: int, struct: int, signature: str) -> bool:
        """Whether the key signed the struct; text that is no signature was signed by nobody."""
        try:
            r, s = (int(part, 0) for part in _PAIR.decode(signature))
            return verify(public_key, self._messages.hash(struct), r, s)
        except (msgspec.MsgspecError, ValueError, UnicodeError):
            return False


def order_struct(terms: OrderTerms) -> int:
    """What of an order is signed; flags, client id and windows are not. ValueError for what is no order."""
    if terms.side not in _SIDES:
        raise ValueError(f"{terms.side!r} is no side")
    fields = (
        terms.timestamp_ms,
        felt(terms.market),
        _SIDES[terms.side],
        felt(terms.kind),
        quanta(terms.size),
        quanta(terms.price),
    )
    return ORDER.hash(*fields) if terms.order_id is None else MODIFY_ORDER.hash(*fields, felt(terms.order_id))


def login_struct(timestamp_s: int, expiration_s: int) -> int:
    return REQUEST.hash(felt("POST"), felt(AUTH_PATH), 0, timestamp_s, expiration_s)


def onboarding_struct() -> int:
    return CONSTANT.hash(felt("Onboarding"))


def quanta(text: str) -> int:
    """A decimal text in units of 1e-8."""
    return int(exact(text).scaleb(QUANTA_DIGITS))


def self_check() -> None:
    """See `engine.exchanges.interface.SelfCheckingVenue`. The key is a throwaway one, its account and signature are
    those of `paradex-py`; ours need not be the same, so both are verified."""
    keys, struct = keys_of({ETHEREUM_KEY: _KNOWN_KEY}, TESTNET), onboarding_struct()
    verifier, ours = Verifier(_KNOWN_ACCOUNT, TESTNET), Signer(keys, TESTNET).onboarding(int(_KNOWN_KEY, 16))
    signatures = (_KNOWN_SIGNATURE, dict(ours.headers)["PARADEX-STARKNET-SIGNATURE"])
    all_good = all(verifier.accepts(keys.public_key, struct, signature) for signature in signatures)
    require_known("Paradex", f"{keys.account:#x} {all_good}", f"{_KNOWN_ACCOUNT:#x} True")
