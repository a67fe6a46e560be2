"""Backpack's signatures: what is signed, and how requests are signed and verified.

The codec signs with a `Signer`; the simulated venue verifies with `verify_request` and `verify_subscription`.
Signed is `instruction=<name>[&k=v…]&timestamp=<ms>&window=<ms>`, keys in byte order, values as they read in JSON
without quotes and without percent-encoding (Authentication, docs.backpack.exchange).
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import CryptoError

from engine.errors import ConfigInvalid
from engine.exchanges.known import require_known
from engine.exchanges.messages import HttpRequest
from engine.model.value import Value

WINDOW_MS = 5_000
"""How long after its timestamp a request is still taken; the venue's default, and our dead-after."""

Parameter = str | int | bool
Parameters = Mapping[str, Parameter]

INSTRUCTIONS = {
    ("GET", "/api/v1/account"): "accountQuery",
    ("PATCH", "/api/v1/account"): "accountUpdate",
    ("POST", "/api/v1/account/convertDust"): "convertDust",
    ("GET", "/api/v1/account/limits/borrow"): "maxBorrowQuantity",
    ("GET", "/api/v1/account/limits/order"): "maxOrderQuantity",
    ("GET", "/api/v1/account/limits/withdrawal"): "maxWithdrawalQuantity",
    ("POST", "/api/v1/borrowLend"): "borrowLendExecute",
    ("GET", "/api/v1/borrowLend/positions"): "borrowLendPositionQuery",
    ("GET", "/api/v1/capital"): "balanceQuery",
    ("GET", "/api/v1/capital/collateral"): "collateralQuery",
    ("DELETE", "/api/v1/order"): "orderCancel",
    ("GET", "/api/v1/order"): "orderQuery",
    ("POST", "/api/v1/order"): "orderExecute",
    ("DELETE", "/api/v1/orders"): "orderCancelAll",
    ("GET", "/api/v1/orders"): "orderQueryAll",
    ("POST", "/api/v1/orders"): "orderExecute",
    ("GET", "/api/v1/position"): "positionQuery",
    ("POST", "/api/v1/rfq"): "rfqSubmit",
    ("POST", "/api/v1/rfq/accept"): "quoteAccept",
    ("POST", "/api/v1/rfq/cancel"): "rfqCancel",
    ("POST", "/api/v1/rfq/quote"): "quoteSubmit",
    ("POST", "/api/v1/rfq/refresh"): "rfqRefresh",
    ("DELETE", "/api/v1/strategies"): "strategyCancelAll",
    ("GET", "/api/v1/strategies"): "strategyQueryAll",
    ("DELETE", "/api/v1/strategy"): "strategyCancel",
    ("GET", "/api/v1/strategy"): "strategyQuery",
    ("POST", "/api/v1/strategy"): "strategyCreate",
    ("GET", "/wapi/v1/capital/deposit/address"): "depositAddressQuery",
    ("GET", "/wapi/v1/capital/deposits"): "depositQueryAll",
    ("GET", "/wapi/v1/capital/withdrawals"): "withdrawalQueryAll",
    ("POST", "/wapi/v1/capital/withdrawals"): "withdraw",
    ("GET", "/wapi/v1/history/borrowLend"): "borrowHistoryQueryAll",
    ("GET", "/wapi/v1/history/dust"): "dustHistoryQueryAll",
    ("GET", "/wapi/v1/history/fills"): "fillHistoryQueryAll",
    ("GET", "/wapi/v1/history/funding"): "fundingHistoryQueryAll",
    ("GET", "/wapi/v1/history/interest"): "interestHistoryQueryAll",
    ("GET", "/wapi/v1/history/orders"): "orderHistoryQueryAll",
    ("GET", "/wapi/v1/history/position"): "positionHistoryQueryAll",
    ("GET", "/wapi/v1/history/settlement"): "settlementHistoryQueryAll",
}
"""Method and path to instruction; what is not here is public and unsigned."""

_JSON_HEADER = ("Content-Type", "application/json; charset=utf-8")


class Signer:
    """One API key, ready to sign. The secret never leaves it."""

    def __init__(self, api_key: str, api_secret: str) -> None:
        public, self._secret_key = _key_pair(api_secret)
        if _base64(public) != api_key:
            raise ConfigInvalid(
                "the Backpack api_secret does not belong to the api_key",
                hint="copy both from one row of the API key page; the key is the public half",
            )
        self.api_key = api_key

    def signature(self, text: str) -> str:
        """The base64 signature of a string to sign."""
        return _base64(crypto_sign(text.encode(), self._secret_key)[:64])

    def headers(self, signed_part: str, timestamp_ms: int, window_ms: int) -> tuple[tuple[str, str], ...]:
        """All headers of a request whose instruction and parameters read `signed_part`."""
        signature = self.signature(f"{signed_part}&timestamp={timestamp_ms}&window={window_ms}")
        return (
            ("X-API-Key", self.api_key),
            ("X-Signature", signature),
            ("X-Timestamp", str(timestamp_ms)),
            ("X-Window", str(window_ms)),
            _JSON_HEADER,
        )

    def subscription(self, timestamp_ms: int, window_ms: int = WINDOW_MS) -> tuple[str, str, str, str]:
        """The `signature` field of a private SUBSCRIBE frame; stream names are not signed."""
        signature = self.signature(subscription_text(str(timestamp_ms), str(window_ms)))
        return (self.api_key, signature, str(timestamp_ms), str(window_ms))


class Claims(Value, frozen=True, kw_only=True):
    """What a signed request says of itself in its headers."""

    api_key: str
    signature: str
    timestamp_ms: int
    window_ms: int


def build_request(
    signer: Signer | None,
    method: str,
    path: str,
    parameters: Parameters | Sequence[Parameters],
    timestamp_ms: int,
    window_ms: int = WINDOW_MS,
) -> HttpRequest:
    """Any request of the venue: parameters become the query of a GET and the JSON body of everything else.

    A list of parameters is a batch. Without a signer the request is public.
    """
    query, body = "", b""
    if method != "GET":
        body = json.dumps(parameters, separators=(",", ":")).encode()
    elif parameters:
        query = "?" + urlencode({key: _value_text(value) for key, value in _single(parameters).items()})
    headers: tuple[tuple[str, str], ...] = ()
    if signer is not None:
        signed_part = signed_parameters(INSTRUCTIONS[method, path], parameters)
        headers = signer.headers(signed_part, timestamp_ms, window_ms)
    return HttpRequest(method=method, target=path + query, headers=headers, body=body)


def signed_parameters(instruction: str, parameters: Parameters | Sequence[Parameters]) -> str:
    """`instruction=…&k=v…` with sorted keys; a batch repeats the instruction for every element."""
    if isinstance(parameters, Mapping):
        pairs = sorted(parameters.items())
        return "&".join([f"instruction={instruction}", *(f"{key}={_value_text(value)}" for key, value in pairs)])
    return "&".join(signed_parameters(instruction, element) for element in parameters)


def subscription_text(timestamp: str, window: str) -> str:
    """The string to sign of a private subscription."""
    return f"instruction=subscribe&timestamp={timestamp}&window={window}"


def claims(request: HttpRequest) -> Claims | None:
    """The authentication headers; None when one is missing or not a number."""
    found = {name.lower(): value for name, value in request.headers}
    try:
        return Claims(
            api_key=found["x-api-key"],
            signature=found["x-signature"],
            timestamp_ms=int(found["x-timestamp"]),
            window_ms=int(found.get("x-window", WINDOW_MS)),
        )
    except (KeyError, ValueError):
        return None


def verify_request(request: HttpRequest) -> bool:
    """Whether the signature is the key's own over this request. Knows no account and no clock."""
    said = claims(request)
    signed_part = request_text(request)
    if said is None or signed_part is None:
        return False
    text = f"{signed_part}&timestamp={said.timestamp_ms}&window={said.window_ms}"
    return verify(said.api_key, said.signature, text)


def verify_subscription(signature: Sequence[str]) -> bool:
    """Whether the `signature` field of a private SUBSCRIBE frame is the key's own."""
    if len(signature) != 4:
        return False
    api_key, signed, timestamp, window = signature
    return verify(api_key, signed, subscription_text(timestamp, window))


def request_text(request: HttpRequest) -> str | None:
    """Instruction and parameters of a request as they must have been signed; None when it cannot be told."""
    path, _, query = request.target.partition("?")
    instruction = INSTRUCTIONS.get((request.method, path))
    if instruction is None:
        return None
    try:
        # Numbers stay text: they are signed as they read, and 1.10 is not 1.1.
        body = json.loads(request.body, parse_float=str, parse_int=str) if request.body else {}
    except (ValueError, RecursionError):
        return None
    if isinstance(body, list) and all(isinstance(element, dict) for element in body):
        return signed_parameters(instruction, body)
    return signed_parameters(instruction, _query(query) | body) if isinstance(body, dict) else None


def verify(api_key: str, signature: str, text: str) -> bool:
    """Whether a base64 signature over a text was made with the secret half of a base64 public key."""
    try:
        crypto_sign_open(a2b_base64(signature) + text.encode(), a2b_base64(api_key))
    except (CryptoError, Base64Error, ValueError):
        return False
    return True


def public_key(seed: bytes) -> str:
    """The API key that belongs to a 32-byte seed."""
    return _base64(crypto_sign_seed_keypair(seed)[0])


def _query(query: str) -> dict[str, str]:
    # bpx-py writes booleans into a query as True but signs them as true.
    words = {"True": "true", "False": "false"}
    return {key: words.get(value, value) for key, value in parse_qsl(query, keep_blank_values=True)}


def _single(parameters: Parameters | Sequence[Parameters]) -> Parameters:
    if not isinstance(parameters, Mapping):
        raise ValueError("a query has no batch form")
    return parameters


def _value_text(value: Parameter) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _key_pair(api_secret: str) -> tuple[bytes, bytes]:
    """Public key and 64-byte secret key; the secret is a seed, or a seed followed by its public key."""
    try:
        secret = a2b_base64(api_secret)
    except ValueError:  # no base64, or not even ASCII
        secret = b""
    if len(secret) not in (32, 64):
        raise ConfigInvalid(
            "the Backpack api_secret is not 32 bytes in base64",
            hint="it is the secret shown once when the API key was made",
        )
    pair: tuple[bytes, bytes] = crypto_sign_seed_keypair(secret[:32])
    return pair


def _base64(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).decode()


def self_check() -> None:
    """See `engine.exchanges.interface.SelfCheckingVenue`. The key is a throwaway one, the signature `bpx-py`'s."""
    signer = Signer("42njOjm93byZ5mNDkjjKZ1Ng75ee5imu07GISZhHXag=", "vKdW2KojDrvLZG3fyloys5TxeY290NEv8wQH5ScDw6U=")
    known = "Z9wPCgnVXbcEnAt61b2U1XPm85OcDy3XMlbFdazTJv/dh9TpRvvLUcs7yEMhCpGA6296y4+FmqjeC/VRGAN6DQ=="
    request = build_request(signer, "GET", "/api/v1/account", {}, 1_761_955_200_000)
    require_known("Backpack", dict(request.headers)["X-Signature"], known)
