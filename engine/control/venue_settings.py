"""Sets what a person may choose of an account at its venue. Not for trading, and not for verbs that only look."""

from __future__ import annotations

from decimal import Decimal

from engine.control.venue_questions import Counter, open_session
from engine.control.ways import ask_through
from engine.errors import Refused, Unavailable, Unresolved, VenueError
from engine.exchanges.interface import Codec, Context, LeverageChangingCodec
from engine.exchanges.messages import HttpRequest, HttpResponse
from engine.model.instrument import plain
from engine.session.facts import fetch_instrument
from engine.transport.world import World

LOOK_AGAIN = "look again: botctl drift"


def set_leverage(counter: Counter, market: str, times: Decimal) -> None:
    """Set leverage of a market, or of the account where the venue knows no other. Raises a VenueError with the
    venue's words when it refuses; Unresolved when it did not say."""

    def change(codec: Codec, context: Context) -> HttpRequest | None:
        return codec.leverage_change(times, context) if isinstance(codec, LeverageChangingCodec) else None

    def answer(codec: Codec, response: HttpResponse) -> bool:
        assert isinstance(codec, LeverageChangingCodec)
        codec.decode_leverage_change(response)
        return True

    async def ask(world: World) -> bool | None:
        instrument = await fetch_instrument(world, counter.venue, counter.endpoints(), market)
        async with open_session(world, counter, instrument) as session:
            return await session.inquire(change, answer)

    venue = counter.account.venue
    try:
        is_set = ask_through(counter.proxy, ask)
    except Unresolved as error:
        raise Unresolved(f"whether it was set is unknown: {error.message}", hint=LOOK_AGAIN) from error
    except VenueError as error:
        words = error.venue_words or error.message
        raise Unavailable(
            f"{venue} did not set leverage to {plain(times)} times: {words}", hint=LOOK_AGAIN
        ) from error
    if not is_set:
        raise Refused(f"botctl cannot set leverage at {venue}", hint="set it on the venue's website")
