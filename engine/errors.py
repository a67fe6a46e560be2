"""Every error botctl raises on purpose, in one tree; each branch has one exit code.

    BotctlError                1    something failed
    ├── ConfigInvalid          3    a file says something that cannot be meant (carries diagnostics)
    ├── Conflict               4    somebody else holds it, or the plan no longer fits
    │   ├── Locked                  a second runner, checkout or apply
    │   ├── StalePlan               diffing again gives other actions
    │   └── StateDamaged            a journal, generation or plan that cannot be trusted
    ├── Refused                5    policy, declined, no terminal without --yes, not the owner
    ├── UsageError            64    the command line is wrong
    ├── Interrupted          130    Ctrl-C
    └── VenueError             1    one request to a venue did not give its answer
        ├── Unavailable             no answer, or a 5xx to a query: nothing is known (law 1)
        ├── NotSent                 no byte left this process: the request certainly did not arrive
        ├── Unresolved              bytes left, no answer: it may have happened (law 2)
        ├── RateLimited             429 / 418
        ├── AuthenticationFailed    key, signature or permission
        ├── ClockSkewed             our timestamp was outside the venue's window
        └── ProtocolError           the venue said something the codec does not understand

`message` says what went wrong and where; `hint` says what to do next. Neither ever holds a secret.
"""

from __future__ import annotations


class BotctlError(Exception):
    """A failure with words for a person. Shown as `error: <message>` and `hint: <hint>`."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigInvalid(BotctlError):
    """Configuration that must not run."""

    exit_code = 3


class Conflict(BotctlError):
    """The world is not in the state this action was made for."""

    exit_code = 4


class Locked(Conflict):
    """Somebody else holds the lock; the message names the holder."""


class StalePlan(Conflict):
    """The plan no longer equals what diffing again gives."""


class StateDamaged(Conflict):
    """Stored state is missing, truncated or of a newer version."""


class Refused(BotctlError):
    """Allowed by nobody who was asked."""

    exit_code = 5


class UsageError(BotctlError):
    """The command line does not say a thing botctl can do."""

    exit_code = 64


class Interrupted(BotctlError):
    """A person pressed Ctrl-C."""

    exit_code = 130


class VenueError(BotctlError):
    """A request to a venue did not give its answer; `venue_words` keeps the venue's own text."""

    def __init__(self, message: str, *, venue_words: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.venue_words = venue_words


class Unavailable(VenueError):
    """A query failed: its subject is unknown, which is not the same as empty."""


class NotSent(VenueError):
    """No byte left this process."""


class Unresolved(VenueError):
    """Bytes left this process and no answer came."""


class RateLimited(VenueError):
    """The venue asks for fewer requests."""


class AuthenticationFailed(VenueError):
    """The venue does not accept our key or signature."""


class ClockSkewed(VenueError):
    """Our timestamp lies outside the venue's window."""


class ProtocolError(VenueError):
    """A message the codec cannot decode; the only error a decoder may raise."""
