"""The other side of `tick_to_order`: decode, sign and send, as one would write it in an afternoon."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import httpx
from nacl.signing import SigningKey
from websockets.asyncio.client import connect

from engine.exchanges.interface import Endpoints


class Peer:
    def __init__(self, http: httpx.AsyncClient, times_us: list[float]) -> None:
        self._http = http
        self._times_us = times_us
        self._key = SigningKey(bytes(32))
        self._api_key = base64.b64encode(bytes(self._key.verify_key)).decode()
        self._client_id = 0

    async def tick(self, message: str | bytes) -> None:
        heard_s = time.perf_counter()
        bid = json.loads(message)["data"]["b"][-1][0]
        self._client_id += 1
        order = {
            "clientId": self._client_id,
            "orderType": "Limit",
            "postOnly": True,
            "price": bid,
            "quantity": "1",
            "side": "Bid",
            "symbol": "SOL_USDC",
        }
        headers = self._signed(order)
        body = json.dumps(order)
        self._times_us.append((time.perf_counter() - heard_s) * 1e6)
        await self._http.post("/api/v1/order", content=body, headers=headers)

    def _signed(self, order: dict[str, object]) -> dict[str, str]:
        now_ms = str(time.time_ns() // 1_000_000)
        words = {key: str(value).lower() if value is True else value for key, value in sorted(order.items())}
        text = f"instruction=orderExecute&{urlencode(words)}&timestamp={now_ms}&window=5000"
        return {
            "X-API-Key": self._api_key,
            "X-Signature": base64.b64encode(self._key.sign(text.encode()).signature).decode(),
            "X-Timestamp": now_ms,
            "X-Window": "5000",
            "Content-Type": "application/json; charset=utf-8",
        }


@asynccontextmanager
async def peer_client(endpoints: Endpoints, times_us: list[float]) -> AsyncIterator[None]:
    """A client that answers every change until left."""
    async with (
        httpx.AsyncClient(base_url=endpoints.rest_url, trust_env=False) as http,
        connect(endpoints.ws_url, compression=None, proxy=None) as socket,
    ):
        peer = Peer(http, times_us)
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": ["depth.SOL_USDC"]}))

        async def answer() -> None:
            async for message in socket:
                await peer.tick(message)

        answering = asyncio.create_task(answer())
        try:
            yield
        finally:
            answering.cancel()
