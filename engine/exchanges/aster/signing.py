"""Who asks: the two ways Aster lets a request prove it, and how the simulated venue checks them.

v3 signs the parameter text as EIP-712 typed data, `Message{string msg}` in the domain AsterSignTransaction; the
domain never changes, so its hash is computed once and a signature costs three short keccaks and one ECDSA.
v1, for keys of before March 2026, is HMAC-SHA256 over query and body. Either way the signed text is the sent text:
parameters are never sorted or written twice. (Futures API v3: Authentication; v1: Endpoint security type.)
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache
from typing import Protocol

from coincurve import PrivateKey, PublicKey
from Crypto.Hash import keccak

from engine.errors import ConfigInvalid
from engine.exchanges.aster.apis import MAINNET_CHAIN
from engine.exchanges.known import require_known
from engine.exchanges.messages import HttpRequest

FORM = ("Content-Type", "application/x-www-form-urlencoded")
RECV_WINDOW_MS = 5_000
"""How long after its timestamp an HMAC request may arrive."""
API_KEY_HEADER = "X-MBX-APIKEY"


class Signer(Protocol):
    """Turns a method, a path and parameter text into a request that proves who asks."""

    generation: int
    """3 or 1: which of the venue's APIs understands these signatures."""

    def request(self, method: str, path: str, parameters: str, now_us: int) -> HttpRequest:
        """`parameters` is percent-encoded already; `now_us` is the nonce, or what the timestamp is made of."""


class WalletSigner:
    """EIP-712: an agent's key signs for the user who approved it; they may be one and the same."""

    generation = 3

    def __init__(self, user: str, private_key: str, chain_id: int = MAINNET_CHAIN) -> None:
        if not _ADDRESS.fullmatch(user):
            raise ConfigInvalid("user is not an address", hint="user is the main wallet: 0x and 40 hex digits")
        self._key = _private_key(private_key)
        self._domain = _domain(chain_id)
        self.address = address_of(self._key.public_key)
        self._who = f"&user={user}&signer={self.address}"

    @classmethod
    def of_key(cls, private_key: str) -> WalletSigner:
        """A wallet that signs for itself."""
        return cls(address_of(_private_key(private_key).public_key), private_key)

    def request(self, method: str, path: str, parameters: str, now_us: int) -> HttpRequest:
        separator = "&" if parameters else ""
        text = f"{parameters}{separator}nonce={now_us}{self._who}"
        return _request(method, path, f"{text}&signature={self.sign(text)}", ())

    def sign(self, text: str) -> str:
        """r, s and v of a parameter text, in hex."""
        signature = self._key.sign_recoverable(_message_digest(self._domain, text), hasher=None)
        return f"0x{signature[:64].hex()}{signature[64] + 27:02x}"


class HmacSigner:
    """The older keys: a secret shared with the venue."""

    generation = 1

    def __init__(self, api_key: str, api_secret: str) -> None:
        self._secret = api_secret.encode()
        self._headers = ((API_KEY_HEADER, api_key),)

    def request(self, method: str, path: str, parameters: str, now_us: int) -> HttpRequest:
        separator = "&" if parameters else ""
        text = f"{parameters}{separator}recvWindow={RECV_WINDOW_MS}&timestamp={now_us // 1_000}"
        return _request(method, path, f"{text}&signature={hmac_hex(self._secret, text)}", self._headers)


def recovered_address(text: str, signature: str, chain_id: int) -> str | None:
    """Who signed a parameter text, in lower case; None when the signature is no signature."""
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
        if len(raw) != 65 or raw[64] not in (27, 28):
            return None
        digest = _message_digest(_domain(chain_id), text)
        key = PublicKey.from_signature_and_message(raw[:64] + bytes([raw[64] - 27]), digest, hasher=None)
    except ValueError:
        return None
    return _plain_address(key)


def hmac_hex(secret: bytes, text: str) -> str:
    """The v1 signature of query text directly followed by body text."""
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def address_of(key: PublicKey) -> str:
    """A key's address in mixed case, whose capitals are its checksum (EIP-55)."""
    plain = _plain_address(key).removeprefix("0x")
    check = keccak256(plain.encode()).hex()
    return "0x" + "".join(
        letter.upper() if digit > "7" else letter for letter, digit in zip(plain, check, strict=False)
    )


def _plain_address(key: PublicKey) -> str:
    return "0x" + keccak256(key.format(compressed=False)[1:])[-20:].hex()


def keccak256(data: bytes) -> bytes:
    """Ethereum's hash: Keccak as submitted, not the SHA-3 that hashlib has."""
    return keccak.new(digest_bits=256, data=data).digest()


def _private_key(text: str) -> PrivateKey:
    try:
        return PrivateKey(bytes.fromhex(text.removeprefix("0x")))
    except ValueError:
        raise ConfigInvalid(
            "private_key is no private key", hint="private_key belongs to the agent: 0x and 64 hex digits"
        ) from None


def _request(method: str, path: str, text: str, headers: tuple[tuple[str, str], ...]) -> HttpRequest:
    """Parameters of a GET stand in the query, all others' in the body."""
    if method == "GET":
        return HttpRequest(method=method, target=f"{path}?{text}", headers=headers)
    return HttpRequest(method=method, target=path, headers=(FORM, *headers), body=text.encode())


def _message_digest(domain: bytes, text: str) -> bytes:
    return keccak256(domain + keccak256(_MESSAGE_TYPE + keccak256(text.encode())))


@lru_cache(maxsize=8)
def _domain(chain_id: int) -> bytes:
    """What every digest of a chain begins with."""
    name, version = keccak256(b"AsterSignTransaction"), keccak256(b"1")
    return b"\x19\x01" + keccak256(_DOMAIN_TYPE + name + version + chain_id.to_bytes(32) + bytes(32))


_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_MESSAGE_TYPE = keccak256(b"Message(string msg)")
_DOMAIN_TYPE = keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")


def self_check() -> None:
    """See `engine.exchanges.interface.SelfCheckingVenue`. The keys are throwaway ones, the signature is that of an
    order as ccxt signs it."""
    user, key = (
        "0x68710a0aA9f944aB7c74Ba51F3e70e132B2E74Cc",
        "0x41d7df04e4813daddfbb04a95d3b01f3deedcb6184358ac2f445491c4d9760a9",
    )
    signer = WalletSigner(user, key)
    said = signer.sign(
        f"nonce=1765000000000000&user={user}&signer=0xE0831909b30865Ea6cf97b068763b50654928C11"
        "&symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=0.01&price=86000.5&timeInForce=GTC"
    )
    known = (
        "0x0ec8d39b7215423a59e8f2eeed90e5e03e316d0930a3c3716b4861de141d15b2"
        "14ca7567251f73de62093f31224e0741011c94247f73ae35071ad8c2d11e34ac1b"
    )
    require_known("Aster", said, known)
