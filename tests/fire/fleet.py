"""The fleet under fire: two makers, spot and perp, each alone on its account, beside one order of a person."""

from __future__ import annotations

import json

from engine.model.value import Value

VENUE = "backpack"
ACCOUNTS = {"alpha": {"USDC": 100_000, "SOL": 500}, "beta": {"USDC": 100_000}}
"""What each begins with."""


class BotUnderFire(Value, frozen=True, kw_only=True):
    """Where a bot trades, and its file."""

    account: str
    market: str
    text: str
    is_perp: bool


def fleet_text(fleet_id: str, rest_url: str, ws_url: str) -> str:
    """`bots/fleet.yaml`, with the venue as a testnet at these addresses."""
    accounts = "".join(
        f"  {name}:\n    venue: {VENUE}\n    environment: testnet\n    credentials:\n"
        f"      api_key: ${{{name.upper()}_API_KEY}}\n      api_secret: ${{{name.upper()}_API_SECRET}}\n"
        for name in ACCOUNTS
    )
    urls = f'{{rest_url: "{rest_url}", ws_url: "{ws_url}"}}'
    return (
        f"id: {fleet_id}\nvenues:\n  {VENUE}: {{environments: {{testnet: {urls}}}}}\n"
        f"accounts:\n{accounts}sentinel: {{grace_s: 5}}\n"
    )


def elsewhere_text(fleet_id: str) -> str:
    """The same for the venue itself, which knows the accounts by the keys that grow from the fleet's name."""
    accounts = "".join(
        f"  {name}: {{venue: {VENUE}, environment: sim, balances: {json.dumps(balances)}}}\n"
        for name, balances in ACCOUNTS.items()
    )
    return f"id: {fleet_id}\naccounts:\n{accounts}sim:\n  {VENUE}: {{seed: 7, speed: 3}}\n"


BOTS = {
    "sol": BotUnderFire(
        account="alpha",
        market="SOL_USDC",
        is_perp=False,
        text="""\
metadata: {name: sol}
exchange: {account: alpha, market: SOL_USDC}
strategy:
  kind: market_maker
  spread_bps: 6
  order_size: 1.5
  layers: 2
  capital: {base: 100, quote: 20000}
risk: {max_data_age_s: 3, max_orders_per_minute: 6000}
process: {max_restarts_per_hour: 60}
""",
    ),
    "btc": BotUnderFire(
        account="beta",
        market="BTC_USDC_PERP",
        is_perp=True,
        text="""\
metadata: {name: btc}
exchange: {account: beta, market: BTC_USDC_PERP}
strategy:
  kind: perp_market_maker
  spread_bps: 6
  order_size: 0.01
  layers: 2
risk: {max_position: 0.1, max_data_age_s: 3, max_orders_per_minute: 6000}
process: {max_restarts_per_hour: 60}
""",
    ),
}
