"""A Paradex account's keys: a Stark key, derived from an Ethereum key where that is what the owner has.

Derivation is Paradex's own: a fixed message is signed with the Ethereum key, and the signature is ground down to
a number the Stark curve takes. A *subkey* is any Stark key registered on the account; it signs in the name of the
main account's address, so it is given together with that.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from coincurve import PrivateKey
from fast_stark_crypto import get_public_key

from engine.errors import ConfigInvalid
from engine.exchanges.paradex.chains import Chain
from engine.exchanges.paradex.typed_data import felt, hash_list, keccak256, starknet_keccak
from engine.model.value import Value

ETHEREUM_KEY, PRIVATE_KEY, ACCOUNT = "ethereum_private_key", "private_key", "account_address"
"""Credential fields. The first alone is enough; so is the second, with the third where it is a subkey."""

CURVE_ORDER = 0x800000000000010FFFFFFFFFFFFFFFFB781126DCAE7B2321E66A241ADC64D2F
_GRIND_LIMIT = (1 << 256) - (1 << 256) % CURVE_ORDER
_ADDRESS_MODULUS = (1 << 251) - 256


class StarkKeys(Value, frozen=True, kw_only=True):
    """What signs, and for whom."""

    private_key: int
    public_key: int
    account: int

    def __repr__(self) -> str:
        return f"StarkKeys(account={hex(self.account)})"


def keys_of(credentials: Mapping[str, str], chain: Chain) -> StarkKeys:
    """The keys an account's credentials stand for; ConfigInvalid when they stand for none."""
    try:
        private_key = _private_key(credentials, chain)
        public_key = get_public_key(private_key)
        given = credentials.get(ACCOUNT)
        account = int(given, 16) if given else account_address(public_key, chain)
        if not 0 < account < _ADDRESS_MODULUS:
            raise ValueError("no address")
    except ValueError:
        # Without its cause, which may quote the key.
        raise ConfigInvalid(
            "a Paradex key or address is not a hexadecimal number",
            hint=f"give {ETHEREUM_KEY}, or {PRIVATE_KEY} (with {ACCOUNT} where it is a subkey), as 0x…",
        ) from None
    return StarkKeys(private_key=private_key, public_key=public_key, account=account)


def derived_private_key(ethereum_key: int, chain: Chain) -> int:
    """The Stark key that belongs to an Ethereum key."""
    signature = PrivateKey.from_int(ethereum_key).sign_recoverable(_stark_key_digest(chain.l1_chain_id), None)
    return _ground(int.from_bytes(signature[:32]))


def account_address(public_key: int, chain: Chain) -> int:
    """Where the account contract of a main key stands."""
    constructor = hash_list((chain.account_hash, starknet_keccak("initialize"), 2, public_key, 0))
    parts = (felt("STARKNET_CONTRACT_ADDRESS"), 0, public_key, chain.account_proxy_hash, constructor)
    return hash_list(parts) % _ADDRESS_MODULUS


def ethereum_address(ethereum_key: int) -> str:
    """The address of an Ethereum key, without the capitals that only serve as a checksum."""
    public_key = PrivateKey.from_int(ethereum_key).public_key.format(compressed=False)
    return "0x" + keccak256(public_key[1:])[-20:].hex()


def _private_key(credentials: Mapping[str, str], chain: Chain) -> int:
    if given := credentials.get(PRIVATE_KEY):
        key = int(given, 16)
    elif given := credentials.get(ETHEREUM_KEY):
        key = derived_private_key(int(given, 16), chain)
    else:
        raise ConfigInvalid(f"a Paradex account needs {ETHEREUM_KEY} or {PRIVATE_KEY}")
    if not 0 < key < CURVE_ORDER:
        raise ValueError("outside the curve")
    return key


def _stark_key_digest(l1_chain_id: int) -> bytes:
    """EIP-712 of {"action": "STARK Key"}: one text for everybody on a network."""
    domain = keccak256(
        keccak256(b"EIP712Domain(string name,string version,uint256 chainId)")
        + keccak256(b"Paradex")
        + keccak256(b"1")
        + l1_chain_id.to_bytes(32)
    )
    message = keccak256(keccak256(b"Constant(string action)") + keccak256(b"STARK Key"))
    return keccak256(b"\x19\x01" + domain + message)


def _ground(seed: int) -> int:
    """Hash with a counter until the number is fair to every key. Numbers go in without leading zero bytes."""
    counter = 0
    while True:
        number = int.from_bytes(sha256(_shortest(seed) + _shortest(counter)).digest())
        if number < _GRIND_LIMIT:
            return number % CURVE_ORDER
        counter += 1


def _shortest(number: int) -> bytes:
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8))
