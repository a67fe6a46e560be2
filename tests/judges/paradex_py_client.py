"""The official SDK as a client, run by `test_paradex_py` in an environment of its own: Python 3.10, paradex-py and
nothing of ours. Prints what it saw as one JSON object.

    python paradex_py_client.py REST_URL WS_URL ETHEREUM_ADDRESS ETHEREUM_KEY MARKET
"""

import json
import sys
import time
from decimal import Decimal

from paradex_py import Paradex
from paradex_py.common.order import Order, OrderSide, OrderType
from paradex_py.environment import TESTNET

PATIENCE_S = 20.0


def eventually(look):
    """What `look` finds as soon as it finds something."""
    until = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < until, "nothing came of it"
        time.sleep(0.1)
    return found


def order(market, side, price, size, client_id, *, instruction="GTC", order_type=OrderType.Limit):
    return Order(
        market=market,
        order_type=order_type,
        order_side=side,
        size=Decimal(size),
        limit_price=Decimal(price),
        client_id=client_id,
        instruction=instruction,
    )


def main(rest_url, ws_url, address, key, market):
    paradex = Paradex(
        env=TESTNET, l1_address=address, l1_private_key=key, api_base_url=f"{rest_url}/v1", ws_url_override=ws_url
    )
    api, seen = paradex.api_client, {}
    seen["markets"] = [each["symbol"] for each in api.fetch_markets()["results"]]
    book = eventually(lambda: (found := api.fetch_orderbook(market))["bids"] and found["asks"] and found)
    bid, ask = Decimal(book["bids"][0][0]), Decimal(book["asks"][0][0])
    seen["spread"] = str(ask - bid)
    seen["balances"] = {each["token"]: each["size"] for each in api.fetch_balances()["results"]}

    resting = api.submit_order(order(market, OrderSide.Buy, bid * 9 // 10, "1", "rests", instruction="POST_ONLY"))
    listed = eventually(lambda: api.fetch_orders({"market": market})["results"])
    seen["listed"] = [(each["client_id"], each["status"], each["id"] == resting["id"]) for each in listed]
    api.cancel_order(resting["id"])
    eventually(lambda: not api.fetch_orders({"market": market})["results"])
    seen["canceled"] = True

    limit = (ask * Decimal("1.005")).quantize(Decimal("0.001"))
    api.submit_order(order(market, OrderSide.Buy, limit, "1", "takes", instruction="IOC"))
    fills = eventually(lambda: api.fetch_fills({"market": market})["results"])
    seen["filled"] = [(each["client_id"], each["side"], each["liquidity"]) for each in fills]
    positions = eventually(lambda: api.fetch_positions()["results"])
    seen["positions"] = [(each["market"], each["side"]) for each in positions if each["status"] == "OPEN"]
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
