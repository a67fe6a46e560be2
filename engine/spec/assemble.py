"""Checked data → typed specs. Nothing is decided here: it is valid already, and every field is there.

Numbers take their plainest form on the way (10.0 is 10, 2.50 is 2.5), so that writing a number differently is
not a change, and a spec read back from a generation equals the one that was written.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from engine.model.instrument import plain
from engine.spec.policy import Policy
from engine.spec.schema import fill_defaults, load_schema
from engine.spec.types import (
    AccountSpec,
    AlertsSpec,
    BotSpec,
    BudgetsSpec,
    Environment,
    FleetSpec,
    MetricsSpec,
    RolloutSpec,
    SentinelSpec,
    SimSpec,
    WatchSpec,
)

Data = dict[str, Any]

_ONE_LEG = "main"


def fleet_spec(written: Data, env: str | None) -> FleetSpec:
    """The fleet from the data of a valid fleet.yaml, which wears the overlays of `env`."""
    data = fill_defaults(written, "fleet")
    accounts = {name: _account(name, account, data["venues"]) for name, account in data["accounts"].items()}
    simulated = [account for account in accounts.values() if account.environment is Environment.SIM]
    venues = sorted({account.venue for account in simulated})
    return FleetSpec(
        id=data["id"],
        env=env,
        live_allowed=data["live"] == "allowed",
        accounts=accounts,
        sims={venue: _sim(venue, data["sim"].get(venue), simulated) for venue in venues},
        requests_per_minute=data["budgets"]["requests_per_minute"],
        budgets=_budgets(data["budgets"]),
        sentinel=msgspec.convert(_plainest(data["sentinel"]), SentinelSpec, strict=False),
        policy=msgspec.convert(_plainest(data["policy"]), Policy),
        rollout=_rollout(data["rollout"]),
        watch=_watch(data["watch"]),
        metrics=_metrics(data["metrics"]),
        alerts=_alerts(data["alerts"]),
        max_programs=data["supervisor"]["max_programs"],
    )


def _watch(written: Data | None) -> WatchSpec | None:
    if written is None:
        return None
    status = written["commit_status"]
    return msgspec.convert(
        {
            **_plainest(written),
            "webhook": _secret(written["webhook"]) if written["webhook"] else None,
            "commit_status": {**status, "token": _secret(status["token"])} if status else None,
        },
        WatchSpec,
    )


def _metrics(data: Data | None) -> MetricsSpec | None:
    return None if data is None else msgspec.convert(_plainest(data), MetricsSpec)


def _alerts(data: Data | None) -> AlertsSpec | None:
    if data is None:
        return None
    beat = data["heartbeat"]
    channels = {name: _channel(written) for name, written in data["channels"].items()}
    return msgspec.convert(
        {**_plainest(data), "channels": channels, "heartbeat": _secret(beat) if beat else None}, AlertsSpec
    )


def _channel(written: Data) -> Data:
    """One way to a person; which of them, the schema has seen to."""
    if "webhook" in written:
        return {"webhook": _secret(written["webhook"])}
    if "telegram" in written:
        return {"telegram": {**written["telegram"], "token": _secret(written["telegram"]["token"])}}
    mail = written["email"]
    password = _secret(mail["password"]) if mail["password"] else None
    return {"email": {**mail, "sender": mail["from"], "password": password}}


def _rollout(data: Data | None) -> RolloutSpec | None:
    return None if data is None else msgspec.convert(_plainest(data), RolloutSpec)


def _budgets(data: Data) -> BudgetsSpec | None:
    """The shared ones; None when there are none, so that nobody's meaning changes with the key."""
    fleet, accounts = data["fleet"], data["accounts"]
    if not fleet and not accounts:
        return None
    return msgspec.convert({"fleet": _plainest(fleet), "accounts": _plainest(accounts)}, BudgetsSpec)


def bot_spec(document: Data, fleet: FleetSpec) -> BotSpec:
    """A bot from the data of its valid, overlaid document. Accounts are the fleet's, legs the strategy's."""
    accounts = fleet.accounts
    data = fill_defaults(document, "bot")
    written = written_legs(data["exchange"])
    order = load_schema(f"strategies/{data['strategy']['kind']}")["x-legs"]
    legs = {name: _leg(written[name], accounts) for name in order}
    used = sorted({leg["account"] for leg in legs.values()})
    strategy = data["strategy"]
    return msgspec.convert(
        {
            "name": data["metadata"]["name"],
            "labels": data["metadata"]["labels"],
            "enabled": data["enabled"],
            "legs": legs,
            "accounts": {name: accounts[name] for name in used},
            "strategy": {
                "kind": strategy["kind"],
                "parameters": {key: _storable(value) for key, value in strategy.items() if key != "kind"},
            },
            "risk": _plainest(data["risk"]),
            "process": _process(data["process"]),
            "budgets": _drawn_on(fleet.budgets, used),
            **{key: data["metadata"][key] for key in ("protected", "role", "depends_on")},
            "renamed_from": data["metadata"].get("renamed_from"),
        },
        BotSpec,
    )


def _drawn_on(budgets: BudgetsSpec | None, accounts: list[str]) -> Data | None:
    """Those of the fleet's budgets that a bot on these accounts shares."""
    if budgets is None:
        return None
    own = {name: budget for name, budget in budgets.accounts.items() if name in accounts}
    if budgets.fleet is None and not own:
        return None
    drawn: Data = msgspec.to_builtins(BudgetsSpec(fleet=budgets.fleet, accounts=own), builtin_types=(Decimal,))
    return drawn


def written_legs(exchange: Data) -> dict[str, Data]:
    """The legs under `exchange`, whichever way they were written."""
    legs: dict[str, Data] = exchange.get("legs") or {_ONE_LEG: exchange}
    return legs


def _leg(leg: Data, accounts: dict[str, AccountSpec]) -> Data:
    account = accounts[leg["account"]]
    return {"venue": account.venue, "account": account.name, "market": leg["market"]}


def _account(name: str, data: Data, venues: Data) -> AccountSpec:
    urls = venues.get(data["venue"], {}).get("environments", {}).get(data["environment"], {})
    return msgspec.convert(
        {
            "name": name,
            "venue": data["venue"],
            "environment": data["environment"],
            "rest_url": urls.get("rest_url"),
            "ws_url": urls.get("ws_url"),
            "credentials": {field: _secret(written) for field, written in data["credentials"].items()},
            "balances": _plainest(data["balances"]),
            "exclusive": data["exclusive"] or None,
            "dead_mans_switch_s": data["dead_mans_switch_s"],
            "options": _storable(data["options"]) or None,
            "owner": data["owner"],
            "max_leverage": _plainest(data["max_leverage"]),
            "leverage": _plainest(data["leverage"]),
        },
        AccountSpec,
    )


def _process(written: Data) -> Data:
    proxy = written["proxy"]
    return {**_plainest(written), "proxy": None if proxy is None else _secret(proxy)}


def _secret(written: str | Data) -> Data:
    if isinstance(written, str):
        return {"env": written.removeprefix("${").removesuffix("}")}
    return {"file": written["file"]}


def _sim(venue: str, written: Data | None, accounts: list[AccountSpec]) -> SimSpec:
    settings = written or fill_defaults({"id": "", "accounts": {}, "sim": {venue: {}}}, "fleet")["sim"][venue]
    balances = {account.name: account.balances for account in accounts if account.venue == venue}
    chosen = {account.name: account.options or {} for account in accounts if account.venue == venue}
    tiers = {name: options["tier"] for name, options in chosen.items() if "tier" in options} or None
    return msgspec.convert({"venue": venue, "accounts": balances, "tiers": tiers, **_plainest(settings)}, SimSpec)


def _plainest(value: Any) -> Any:
    """Decimals without trailing zeros."""
    if isinstance(value, dict):
        return {key: _plainest(item) for key, item in value.items()}
    return Decimal(plain(value)) if isinstance(value, Decimal) else value


def _storable(value: Any) -> Any:
    """A parameter as JSON gives it back: whole numbers as integers, others as plain text."""
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else plain(value)
    return value
