"""Money on the simulated exchange: nothing is created, nothing is lost, nobody spends what he has not."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.order import OrderStatus, Side, TimeInForce
from engine.sim.backpack.markets import MARKETS
from engine.sim.exchange import Exchange, OrderChange
from engine.sim.ledger import ZERO, Account
from engine.sim.orders import ExchangeFill, Order, OrderRefused, SelfTrade, Trade

SPOT, PERP = "SOL_USDC", "SOL_USDC_PERP"
SIDES = st.sampled_from(list(Side))
OWNERS = ("alice", "bob", "carol")


class Deaf:
    """A listener that does not care."""

    def order_changed(self, order: Order, change: OrderChange, fill: ExchangeFill | None) -> None: ...

    def balance_changed(self, account: Account, asset: str) -> None: ...

    def position_changed(self, account: Account, symbol: str, lots_before: int) -> None: ...

    def traded(self, trade: Trade) -> None: ...


def an_exchange() -> Exchange:
    exchange = Exchange(MARKETS, Deaf())
    for owner in OWNERS:
        exchange.open_account(owner, {"USDC": Decimal(10_000), "SOL": Decimal(50)})
    return exchange


def place(exchange: Exchange, owner: str, side: Side, ticks: int, lots: int, **more: object) -> Order | None:
    """The order, or None when it was refused."""
    order = Order(
        order_id=exchange.next_order_id(),
        owner=owner,
        symbol=str(more.pop("symbol", SPOT)),
        side=side,
        ticks=ticks,
        lots=lots,
        placed_ns=0,
        **more,  # type: ignore[arg-type]  # keyword fields of Order, as the test wrote them
    )
    try:
        exchange.place(order)
    except OrderRefused:
        return None
    return order


def wealth(exchange: Exchange, asset: str) -> Decimal:
    """All of an asset there is: totals less what perps cost, and the fee pot."""
    total = exchange.ledger.fees[asset]
    for account in exchange.ledger.accounts.values():
        total += account.total[asset]
        if asset == "USDC":
            total -= sum((position.cost for position in account.positions.values()), ZERO)
    return total


PLACED = st.tuples(
    st.just("place"),
    st.sampled_from(OWNERS),
    st.sampled_from((SPOT, PERP)),
    SIDES,
    st.integers(17_950, 18_150),
    st.integers(1, 3_000),
    st.fixed_dictionaries(
        {},
        optional={
            "time_in_force": st.sampled_from(list(TimeInForce)),
            "self_trade": st.sampled_from(list(SelfTrade)),
            "is_market": st.booleans(),
            "post_only": st.booleans(),
        },
    ),
    st.booleans(),
)
STEPS = st.lists(st.one_of(PLACED, st.tuples(st.just("cancel"), st.integers(0, 30)), st.tuples(st.just("fund"))))


@settings(max_examples=150)
@given(STEPS)
def test_money_is_neither_created_nor_lost_and_no_spot_balance_goes_below_its_holds(steps: list[tuple]):
    exchange = an_exchange()
    before = {asset: wealth(exchange, asset) for asset in ("USDC", "SOL")}
    placed: list[Order] = []
    for step in steps:
        if step[0] == "place":
            _, owner, symbol, side, ticks, lots, more, reduce_only = step
            more = {**more, "symbol": symbol, "reduce_only": reduce_only and symbol == PERP}
            order = place(exchange, owner, side, ticks, lots, **more)
            placed += [order] if order else []
        elif step[0] == "fund":
            exchange.pay_funding(PERP)
        elif step[1] < len(placed):
            exchange.cancel(placed[step[1]], 0)
        check_everything(exchange, before)


def check_everything(exchange: Exchange, before: dict[str, Decimal]) -> None:
    for asset, amount in before.items():
        assert wealth(exchange, asset) == amount
    assert sum(account.lots(PERP) for account in exchange.ledger.accounts.values()) == 0
    for account in exchange.ledger.accounts.values():
        resting = exchange.open_orders(account.name)
        buys = sum(
            order.ticks * order.open_lots for order in resting if order.symbol == SPOT and order.side is Side.BUY
        )
        sells = sum(order.open_lots for order in resting if order.symbol == SPOT and order.side is Side.SELL)
        assert account.locked["USDC"] == exchange.markets[SPOT].market.value(buys)
        assert account.locked["SOL"] == exchange.markets[SPOT].market.instrument.size(sells)
        assert account.available("SOL") >= 0
        assert all(order.status is OrderStatus.RESTING for order in resting)
        for order in resting:
            if order.reduce_only:
                assert account.lots(PERP) * order.side.sign < 0
                assert order.open_lots <= abs(account.lots(PERP))


def test_fills_of_an_order_add_up_to_what_it_executed():
    exchange = an_exchange()
    for ticks in (18_000, 18_001, 18_002):
        place(exchange, "alice", Side.SELL, ticks, 100)
    taker = place(exchange, "bob", Side.BUY, 18_005, 250)
    assert taker is not None
    fills = exchange.fills("bob")
    assert sum(fill.lots for fill in fills) == taker.executed_lots == 250
    assert sum(fill.lots * fill.ticks for fill in fills) == taker.executed_value
    assert all(not fill.is_maker for fill in fills)
    assert all(fill.is_maker for fill in exchange.fills("alice"))


def test_a_better_price_gives_the_difference_back():
    exchange = an_exchange()
    place(exchange, "alice", Side.SELL, 18_000, 100)
    place(exchange, "bob", Side.BUY, 18_100, 100)
    bob = exchange.account("bob")
    assert bob.locked["USDC"] == 0
    assert bob.total["USDC"] == Decimal(10_000) - Decimal(180)
    assert bob.total["SOL"] == Decimal(51) - Decimal("0.001")


def test_a_partial_close_realises_its_share_of_the_result():
    exchange = an_exchange()
    place(exchange, "alice", Side.SELL, 18_000, 300, symbol=PERP)
    place(exchange, "bob", Side.BUY, 18_000, 300, symbol=PERP)
    place(exchange, "alice", Side.BUY, 18_100, 100, symbol=PERP)
    place(exchange, "bob", Side.SELL, 18_100, 100, symbol=PERP)
    position = exchange.account("bob").positions[PERP]
    assert (position.lots, position.realised) == (200, Decimal(1))
    assert position.entry_price(exchange.markets[PERP].market) == Decimal(180)


def test_turning_a_position_around_opens_it_at_the_new_price():
    exchange = an_exchange()
    place(exchange, "alice", Side.SELL, 18_000, 100, symbol=PERP)
    place(exchange, "bob", Side.BUY, 18_000, 100, symbol=PERP)
    place(exchange, "alice", Side.BUY, 18_200, 300, symbol=PERP)
    place(exchange, "bob", Side.SELL, 18_200, 300, symbol=PERP)
    position = exchange.account("bob").positions[PERP]
    assert (position.lots, position.realised) == (-200, Decimal(2))
    assert position.entry_price(exchange.markets[PERP].market) == Decimal(182)


def test_margin_refuses_more_than_the_account_can_carry_but_never_a_reduction():
    exchange = an_exchange()
    most = 10_000 * 20 * 100 // 181
    assert place(exchange, "alice", Side.BUY, 18_050, most * 2, symbol=PERP) is None
    place(exchange, "bob", Side.SELL, 18_050, 10_000, symbol=PERP)
    assert place(exchange, "alice", Side.BUY, 18_050, 10_000, symbol=PERP)
    exchange.account("alice").total["USDC"] = Decimal(1)
    assert place(exchange, "alice", Side.BUY, 18_050, 1, symbol=PERP) is None
    assert place(exchange, "alice", Side.SELL, 18_060, 5_000, symbol=PERP)


def test_longs_pay_a_positive_funding_rate_to_shorts():
    exchange = an_exchange()
    place(exchange, "alice", Side.SELL, 18_060, 1_000, symbol=PERP)
    place(exchange, "bob", Side.BUY, 18_060, 1_000, symbol=PERP)
    received = exchange.pay_funding(PERP)
    assert received["bob"] == -received["alice"] == -Decimal("180.60") * 10 * Decimal("0.0000125")
