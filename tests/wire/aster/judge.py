"""eth-account, the judge of what EIP-712 means. One of its packages raises Python's recursion limit a hundredfold,
which turns garbage nested too deep from an error into a crash, so the limit is put back.
"""

from __future__ import annotations

import sys

_limit = sys.getrecursionlimit()

from eth_account import Account  # noqa: E402 - the limit is what it was before this import
from eth_account.messages import encode_typed_data  # noqa: E402

sys.setrecursionlimit(_limit)

_TYPES = {"Message": [{"name": "msg", "type": "string"}]}


def address(private_key: str) -> str:
    return str(Account.from_key(private_key).address)


def signature(text: str, private_key: str, chain_id: int) -> str:
    """r, s and v in hex, without 0x."""
    domain = {
        "name": "AsterSignTransaction",
        "version": "1",
        "chainId": chain_id,
        "verifyingContract": "0x" + "0" * 40,
    }
    message = encode_typed_data(domain, _TYPES, {"msg": text})
    return str(Account.from_key(private_key).sign_message(message).signature.hex())
