"""How a signed transaction travels: as form fields of a POST."""

from __future__ import annotations

from urllib.parse import quote_plus

from engine.exchanges.lighter.transactions import SignedTransaction
from engine.exchanges.messages import HttpRequest

_FORM = (("Content-Type", "application/x-www-form-urlencoded"),)


def send_transaction(signed: SignedTransaction) -> HttpRequest:
    """Any signed transaction on its way."""
    body = f"tx_type={signed.tx_type}&tx_info={quote_plus(signed.tx_info)}"
    return HttpRequest(method="POST", target="/api/v1/sendTx", headers=_FORM, body=body.encode())
