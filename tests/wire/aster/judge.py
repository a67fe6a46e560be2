"""eth-account, the judge of what EIP-712 means."""

from __future__ import annotations

from tests.late import late

_accounts, _messages = late("eth_account"), late("eth_account.messages")
_TYPES = {"Message": [{"name": "msg", "type": "string"}]}


def address(private_key: str) -> str:
    return str(_accounts.Account.from_key(private_key).address)


def signature(text: str, private_key: str, chain_id: int) -> str:
    """r, s and v in hex, without 0x."""
    domain = {
        "name": "AsterSignTransaction",
        "version": "1",
        "chainId": chain_id,
        "verifyingContract": "0x" + "0" * 40,
    }
    message = _messages.encode_typed_data(domain, _TYPES, {"msg": text})
    return str(_accounts.Account.from_key(private_key).sign_message(message).signature.hex())
