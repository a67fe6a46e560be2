"""Somebody else with an account's keys: what a person does on the venue's website, said in its own protocol."""

from __future__ import annotations

import json
import time
from typing import Any

from engine.clock import NS_PER_MS
from engine.exchanges.backpack.signing import Parameters, Signer, build_request
from engine.exchanges.registry import find_venue
from engine.host.accounts import simulated_seed
from engine.host.endpoints import read_sim_endpoint
from tests.e2e.botctl import Botctl, send


class Outside:
    """One account of the simulated Backpack."""

    def __init__(self, botctl: Botctl, account: str) -> None:
        keys = find_venue("backpack").throwaway_credentials(simulated_seed(botctl.fleet_id, account))
        self._signer = Signer(keys["api_key"], keys["api_secret"])
        self._rest_url = read_sim_endpoint(botctl.workspace, "backpack").rest_url

    def order(self, market: str, side: str, quantity: str, price: str | None = None) -> dict[str, Any]:
        """At a price it rests; without one it takes what there is."""
        terms: dict[str, str] = {"symbol": market, "side": side, "quantity": quantity}
        terms |= {"orderType": "Limit", "price": price} if price else {"orderType": "Market"}
        answer: dict[str, Any] = self._say("POST", "/api/v1/order", terms)
        return answer

    def cancel(self, market: str, order_id: str) -> None:
        self._say("DELETE", "/api/v1/order", {"symbol": market, "orderId": order_id})

    def set_leverage(self, times: str) -> None:
        self._say("PATCH", "/api/v1/account", {"leverageLimit": times})

    @property
    def leverage(self) -> str:
        return str(self._say("GET", "/api/v1/account", {})["leverageLimit"])

    def withdraw(self, asset: str, quantity: str) -> None:
        terms = {"address": "elsewhere", "blockchain": "Solana", "quantity": quantity, "symbol": asset}
        self._say("POST", "/wapi/v1/capital/withdrawals", terms)

    def _say(self, method: str, path: str, parameters: Parameters) -> Any:
        request = build_request(self._signer, method, path, parameters, time.time_ns() // NS_PER_MS)
        body = send(self._rest_url, request).body
        return json.loads(body) if body else None
