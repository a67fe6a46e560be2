"""Microseconds per signed order: the engine's own path beside the library one would take. See README.md here.

Each contest names two ways to the same signed order; a venue joins with a function that makes its contest. Run it
with `python -m benchmarks.signing`, in an environment that has the judges' libraries.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

ROUNDS = 5
ROUND_S = 0.5

Sign = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """`at_least` is how many times faster the engine's way is promised to be."""

    name: str
    library: str
    ours: Sign
    theirs: Sign
    at_least: float


def aster() -> Contest:
    """EIP-712: a whole order through the codec, and the same text by eth-account with its pure-Python backend."""
    from eth_account import Account
    from eth_account.messages import encode_typed_data
    from eth_keys.backends.native.main import NativeECCBackend

    from engine.exchanges.interface import Context, Endpoints
    from engine.exchanges.registry import find_venue
    from engine.model.commands import SubmitOrder
    from engine.model.instrument import MarketKind
    from engine.model.order import ApprovedOrder, OrderRequest, Side
    from engine.sim.aster.markets import MARKETS

    venue = find_venue("aster")
    keys = venue.throwaway_credentials("benchmark")
    codec = venue.codec(
        leg="main",
        instrument=MARKETS[MarketKind.PERP][0].instrument,
        credentials=keys,
        endpoints=Endpoints(rest_url="", ws_url=""),
    )
    request = OrderRequest(leg="main", client_id=1 << 32, slot="bid.0", side=Side.BUY, ticks=867_000, lots=10)
    command = SubmitOrder(leg="main", order=ApprovedOrder(request=request))
    context = Context(now_ns=0, nonce=1_765_000_000_000_000)
    text = codec.encode(command, context).body.decode().partition("&signature=")[0]
    accounts = Account()
    accounts.set_key_backend(NativeECCBackend())
    domain = {"name": "AsterSignTransaction", "version": "1", "chainId": 1666, "verifyingContract": "0x" + "0" * 40}
    types = {"Message": [{"name": "msg", "type": "string"}]}

    def theirs() -> object:
        message = encode_typed_data(domain, types, {"msg": text})
        return accounts.sign_message(message, keys["private_key"])

    return Contest(
        name="aster",
        library="eth-account without coincurve",
        ours=lambda: codec.encode(command, context),
        theirs=theirs,
        at_least=8,
    )


CONTESTS: tuple[Callable[[], Contest], ...] = (aster,)


def us_per_call(sign: Sign) -> float:
    """The median of a few rounds."""
    sign()
    rounds = []
    for _ in range(ROUNDS):
        calls, began_s = 0, time.perf_counter()
        while (elapsed_s := time.perf_counter() - began_s) < ROUND_S:
            sign()
            calls += 1
        rounds.append(elapsed_s / calls * 1e6)
    return median(rounds)


def main() -> None:
    print(f"{'venue':<12}{'ours':>12}{'library':>12}{'ratio':>9}   promised")
    for make in CONTESTS:
        contest = make()
        ours_us, theirs_us = us_per_call(contest.ours), us_per_call(contest.theirs)
        ratio = theirs_us / ours_us
        verdict = "kept" if ratio >= contest.at_least else "MISSED"
        print(
            f"{contest.name:<12}{ours_us:>9.1f} us{theirs_us:>9.1f} us{ratio:>8.1f}x"
            f"   {contest.at_least:g}x {verdict} ({contest.library})"
        )


if __name__ == "__main__":
    main()
