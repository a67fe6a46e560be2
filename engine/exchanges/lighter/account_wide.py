"""Requests that reach past one bot's orders: for emergencies, and for accounts that are declared exclusive.

Cancel-all on Lighter means every order of the account, whoever placed it, on every market. Scheduled, it is a
dead man's switch: moved ahead from time to time, it fires when nobody does. It takes the account's other bots and
manual orders along.
"""

from __future__ import annotations

from engine.clock import NS_PER_MS
from engine.errors import NotSent
from engine.exchanges.lighter.sending import send_transaction
from engine.exchanges.lighter.signing import Signer
from engine.exchanges.lighter.transactions import CancelAllTime
from engine.exchanges.messages import HttpRequest

SOONEST_MS, LATEST_MS = 5 * 60_000, 15 * 24 * 3_600_000
"""How far ahead the venue lets it be scheduled."""


def cancel_all_now(signer: Signer, *, nonce: int, now_ns: int) -> HttpRequest:
    """Cancel every order of the account."""
    return send_transaction(signer.cancel_all_orders(CancelAllTime.NOW, 0, nonce=nonce, now_ns=now_ns))


def schedule_cancel_all(signer: Signer, delay_ms: int, *, nonce: int, now_ns: int) -> HttpRequest:
    """Cancel every order of the account after a while, unless asked again or taken back before."""
    if not SOONEST_MS <= delay_ms <= LATEST_MS:
        raise NotSent("Lighter schedules a cancel-all five minutes to fifteen days ahead")
    at_ms = now_ns // NS_PER_MS + delay_ms
    return send_transaction(signer.cancel_all_orders(CancelAllTime.SCHEDULED, at_ms, nonce=nonce, now_ns=now_ns))


def abort_cancel_all(signer: Signer, *, nonce: int, now_ns: int) -> HttpRequest:
    """Take the schedule back."""
    return send_transaction(signer.cancel_all_orders(CancelAllTime.ABORT, 0, nonce=nonce, now_ns=now_ns))
