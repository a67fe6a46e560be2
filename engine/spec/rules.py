"""What no schema can say: rules between files, between fields, and against what venues say of their markets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.clock import iso_utc
from engine.model.instrument import Instrument, plain
from engine.spec.assemble import written_legs
from engine.spec.check import shown
from engine.spec.complaints import Complaint
from engine.spec.diagnostics import Findings, Related, nearest
from engine.spec.document import MappingNode, Path, Place, ScalarNode, data_of, node_at, place_at, scalars
from engine.spec.facts import FactsLookup, VenueMarkets
from engine.spec.grid_rules import market_complaints, shape_complaints
from engine.spec.hedge_rules import legs_complaints, pair_complaints
from engine.spec.masking import mask
from engine.spec.neighbour_rules import clashes
from engine.spec.risk_rules import risk_complaints
from engine.spec.schema import fields_of_schema, load_schema
from engine.spec.types import AccountSpec, BotSpec, BudgetSpec, BudgetsSpec, Environment, FleetSpec

TEMPLATES = "templates/"
"""Where templates are, from the workspace's root."""

_USED = "template used here"

ANY_KIND = "any"
"""What a schema's `x-legs` says of a leg that may be spot or perp."""


@dataclass(kw_only=True)
class BotDraft:
    """One bot file on its way to a spec; `root` is its document with template and defaults laid under it."""

    file: str
    root: MappingNode
    findings: Findings
    spec: BotSpec | None = None
    template_place: Place | None = None
    is_run: bool = False
    """It is about to be run by itself: whether its market is free, the locks of whoever runs will say."""

    def place(self, *path: str | int) -> Place:
        return place_at(self.root, path)

    def relate(self) -> Callable[[Place], tuple[Related, ...]]:
        """What else has to do with a place: where its values were given, where its template was used."""
        given = {
            scalar.place: tuple(Related(note=f"{step} given here", place=step.place) for step in scalar.given)
            for scalar in scalars(self.root)
            if scalar.given
        }
        used = () if self.template_place is None else (Related(note=_USED, place=self.template_place),)

        def related(place: Place) -> tuple[Related, ...]:
            return (*given.get(place, ()), *(used if place.file.startswith(TEMPLATES) else ()))

        return related


def check_fleet(root: MappingNode, fleet: FleetSpec, findings: Findings) -> None:
    """Rules within fleet.yaml."""
    _check_budgets(root, fleet, findings)
    keys: dict[tuple[str, str, str], str] = {}
    for name, account in fleet.accounts.items():
        if account.environment is Environment.MAINNET and not fleet.live_allowed:
            findings.error(
                "live-forbidden",
                f"account {name} is on mainnet, where money is real, and this fleet does not allow that",
                place_at(root, ("accounts", name, "environment")),
                hint="write `live: allowed` in fleet.yaml once you mean it",
            )
        _check_switch(root, account, findings)
        if account.environment is Environment.SIM:
            _check_opening(root, account, findings)
            continue
        if account.balances:
            place = place_at(root, ("accounts", name, "balances"))
            findings.error("not-simulated", f"account {name} is not simulated: its balances are real", place)
        secrets = (account.venue, account.environment, repr(account.credentials))
        if secrets in keys:
            message = f"accounts {keys[secrets]} and {name} are one account: their credentials are the same"
            findings.error("duplicate-account", message, place_at(root, ("accounts", name)))
        keys.setdefault(secrets, name)


def _check_budgets(root: MappingNode, fleet: FleetSpec, findings: Findings) -> None:
    budgets = fleet.budgets or BudgetsSpec()
    for name in budgets.accounts:
        if name not in fleet.accounts:
            place = place_at(root, ("budgets", "accounts", name))
            hint = nearest(name, fleet.accounts)
            findings.error("unknown-account", f"fleet.yaml has no account `{mask(name)}`", place, hint=hint)
    shared = [(("budgets", "accounts", name), budget) for name, budget in budgets.accounts.items()]
    for path, budget in [*shared, (("budgets", "fleet"), budgets.fleet or BudgetSpec())]:
        net, gross = budget.max_net_exposure_usd, budget.max_gross_exposure_usd
        if net is not None and gross is not None and net > gross:
            message = f"{'.'.join(path)}: the net exposure is never more than the gross, {plain(gross)} at most"
            findings.warning("never-reached", message, place_at(root, (*path, "max_net_exposure_usd")))


def _check_switch(root: MappingNode, account: AccountSpec, findings: Findings) -> None:
    if account.dead_mans_switch_s is not None and not account.exclusive:
        findings.error(
            "switch-not-exclusive",
            f"a dead man's switch cancels every order, and account {account.name} is not this fleet's alone",
            place_at(root, ("accounts", account.name, "dead_mans_switch_s")),
            hint="write `exclusive: true` if nobody else trades on it, by hand or otherwise",
        )


def _check_opening(root: MappingNode, account: AccountSpec, findings: Findings) -> None:
    if not any(account.balances.values()):
        findings.warning(
            "no-balances",
            f"simulated account {account.name} opens with nothing to trade",
            place_at(root, ("accounts", account.name)),
            hint="give it some: balances: {USDC: 10000}",
        )


def check_accounts(draft: BotDraft, fleet_root: MappingNode) -> None:
    """Every leg names an account that exists, and its venue if it names one."""
    accounts = fleet_root.mapping("accounts")
    for path in _leg_paths(draft):
        name = _text(draft.root, (*path, "account"))
        place = draft.place(*path, "account")
        if name not in accounts.entries:
            hint = nearest(name, accounts.entries)
            draft.findings.error("unknown-account", f"fleet.yaml has no account `{mask(name)}`", place, hint=hint)
            continue
        venue, real = _text(draft.root, (*path, "venue")), _text(accounts, (name, "venue"))
        if venue and venue != real:
            message = f"account `{name}` is at {real}, not at {venue}"
            draft.findings.error("wrong-venue", message, draft.place(*path, "venue"))


def _leg_paths(draft: BotDraft) -> list[tuple[str, ...]]:
    legs = draft.root.mapping("exchange").mapping("legs")
    return [("exchange", "legs", name) for name in legs.entries] or [("exchange",)]


def _leg_path(draft: BotDraft, leg: str) -> tuple[str, ...]:
    return ("exchange", "legs", leg) if "legs" in draft.root.mapping("exchange").entries else ("exchange",)


def _text(root: MappingNode, path: Path) -> str:
    node = node_at(root, path)
    return str(node.value) if isinstance(node, ScalarNode) else ""


def check_strategy(draft: BotDraft) -> None:
    """The strategy gets the legs it trades and the limits it cannot do without."""
    kind = _text(draft.root, ("strategy", "kind"))
    schema = load_schema(f"strategies/{kind}")
    wanted, given = schema["x-legs"], written_legs(data_of(draft.root.mapping("exchange")))
    if wanted.keys() != given.keys():
        one = wanted.keys() == {"main"}
        hint = "give one account and market" if one else f"name the legs {', '.join(wanted)}"
        draft.findings.error("wrong-legs", f"{kind} does not trade these legs", draft.place("exchange"), hint=hint)
    for needed in schema.get("x-needs", ()):
        path = tuple(needed.split("."))
        node = node_at(draft.root, path)
        if isinstance(node, ScalarNode) and node.value is not None:
            continue
        place = node.place if node else draft.place("strategy", "kind")
        draft.findings.error("missing-limit", f"{kind} needs {needed}", place, hint="write a number")


def check_market(draft: BotDraft, spec: BotSpec, leg: str, markets: VenueMarkets) -> None:
    """One leg's market exists, is of the strategy's kind, and takes the sizes and prices declared."""
    market = spec.legs[leg].market
    instrument = markets.find(market)
    place = draft.place(*_leg_path(draft, leg), "market")
    as_of = f"as of {iso_utc(markets.fetched_at_ns)}"
    if instrument is None:
        known = nearest(market, (found.symbol for found in markets.instruments))
        draft.findings.error(
            "unknown-market", f"the venue has no market `{mask(market)}`, {as_of}", place, hint=known
        )
        return
    schema = f"strategies/{spec.strategy.kind}"
    wanted = load_schema(schema)["x-legs"][leg]
    if wanted not in (instrument.kind, ANY_KIND):
        message = f"{spec.strategy.kind} trades {wanted} markets, and {market} is {instrument.kind}"
        draft.findings.error("wrong-market-kind", message, place)
    _check_grid(draft, leg, instrument, as_of)
    _report(draft, market_complaints(spec.strategy, spec.risk, instrument))


def check_parameters(draft: BotDraft, spec: BotSpec) -> None:
    """No parameter contradicts another."""
    _report(draft, shape_complaints(spec.strategy))
    _report(draft, legs_complaints(spec))
    _report(draft, risk_complaints(spec.risk))


def _report(draft: BotDraft, complaints: Iterable[Complaint]) -> None:
    for complaint in complaints:
        report = draft.findings.warning if complaint.is_warning else draft.findings.error
        report(complaint.code, complaint.message, draft.place(*complaint.field), hint=complaint.hint)


def _check_grid(draft: BotDraft, leg: str, instrument: Instrument, as_of: str) -> None:
    """Every number the schema puts on the venue's grid lies on it; `x-leg` names the leg whose grid it is."""
    kind = _text(draft.root, ("strategy", "kind"))
    for field, described in fields_of_schema(f"strategies/{kind}"):
        node = node_at(draft.root, ("strategy", *field))
        if "x-grid" not in described or not isinstance(node, ScalarNode) or isinstance(node.value, str | None):
            continue
        if described.get("x-leg", leg) != leg:
            continue
        if problem := _off_grid(described["x-grid"], Decimal(node.value), instrument):
            message = f"strategy.{'.'.join(field)} {shown(node)} {problem} of {instrument.symbol}, {as_of}"
            draft.findings.error("off-grid", message, node.place)


def _off_grid(grid: str, number: Decimal, instrument: Instrument) -> str | None:
    """In what a number does not fit a market; `grid` is a schema's `x-grid`."""
    step, name = instrument.lot_size, "lot size"
    if grid == "price":
        step, name = instrument.tick_size, "tick size"
    if number % step:
        return f"is not a multiple of the {name} {plain(step)}"
    if grid == "order_size" and number < instrument.min_size:
        return f"is below the smallest size {plain(instrument.min_size)}"
    return None


def check_facts(
    drafts: Iterable[BotDraft], fleet_root: MappingNode, facts: FactsLookup, findings: Findings
) -> None:
    """Hold every bot against its markets; say once per venue and environment when nothing is known of it."""
    unknown: set[tuple[str, Environment]] = set()
    specs = [(draft, draft.spec) for draft in drafts if draft.spec is not None]
    for draft, spec in specs:
        instruments: dict[str, Instrument] = {}
        for leg, where in spec.legs.items():
            asked = where.venue, spec.accounts[where.account].environment
            markets = facts(*asked)
            if markets is not None:
                check_market(draft, spec, leg, markets)
                if instrument := markets.find(where.market):
                    instruments[leg] = instrument
            elif asked not in unknown:
                unknown.add(asked)
                findings.warning(
                    "facts-missing",
                    f"the markets of {asked[0]} ({asked[1]}) are not known yet: sizes could not be checked",
                    place_at(fleet_root, ("accounts", where.account, "venue")),
                    hint="`botctl apply` fetches them",
                )
        _report(draft, pair_complaints(spec, instruments))


def check_together(drafts: Sequence[BotDraft]) -> None:
    """No name twice, also as one that a bot had before; no two enabled bots on one account and market, nothing else
    they have against each other."""
    names: dict[str, Place] = {}
    markets: dict[tuple[str, str], str] = {}
    for draft in drafts:
        name = _text(draft.root, ("metadata", "name"))
        place = draft.place("metadata", "name")
        if name in names:
            message = f"another bot is called `{name}`"
            draft.findings.error("duplicate-name", message, place, hint=f"the other one is at {names[name]}")
        elif name:
            names[name] = place
        _check_runner(draft, markets)
    for draft in drafts:
        _check_former_name(draft, names)
    for at, complaint in clashes([draft.spec for draft in drafts]):
        _report(drafts[at], [complaint])


def _check_former_name(draft: BotDraft, names: dict[str, Place]) -> None:
    """A bot that is still there, or that another one took over, cannot be renamed."""
    former, field = _text(draft.root, ("metadata", "renamed_from")), ("metadata", "renamed_from")
    if not former:
        return
    if former in names:
        draft.findings.error(
            "renamed-from-taken",
            f"`{former}` is declared or taken over at {names[former]}",
            draft.place(*field),
            hint="one bot is renamed to one other: correct the name, or leave renamed_from out",
        )
    names.setdefault(former, draft.place(*field))


def _check_runner(draft: BotDraft, markets: dict[tuple[str, str], str]) -> None:
    spec = draft.spec
    if spec is None or not spec.enabled or draft.is_run:
        return
    for name, leg in spec.legs.items():
        other = markets.setdefault((leg.account, leg.market), spec.name)
        if other != spec.name:
            draft.findings.error(
                "market-taken",
                f"bot {other} already trades {leg.market} on account {leg.account}",
                draft.place(*_leg_path(draft, name), "market"),
                hint="one bot per account and market: use another account, or set `enabled: false` in one of them",
            )
