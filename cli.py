"""`botctl`: the table of verbs. A verb's module is imported when the verb is called, and typer only then."""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import NamedTuple, cast

from engine import __version__
from engine.errors import BotctlError, Interrupted, Refused, UsageError


class Verb(NamedTuple):
    """Where a verb lives (a module with a `command` function) and its one line of help."""

    module: str
    help: str


VERBS = {
    "init": Verb("init", "make a workspace with a sample fleet on simulated venues"),
    "new": Verb("new", "write a bot file from a few answers, each with a suggestion"),
    "import": Verb("importing", "bring in bots of the earlier program, from its JSON files"),
    "validate": Verb("validate", "check every file of the fleet"),
    "explain": Verb("explain", "show a bot's settings and which line of which file made them so"),
    "plan": Verb("plan", "show what apply would do; changes nothing"),
    "apply": Verb("apply", "make the fleet what its files say"),
    "approve": Verb("approve", "approve a saved plan that somebody else will apply"),
    "watch": Verb("watch", "apply the commits of a git branch by itself; `watch suspend`, `resume`, `forget`"),
    "rollback": Verb("rollback", "make an earlier generation true again"),
    "history": Verb("history", "show what was applied: when, by whom, what, and how it ended"),
    "diff": Verb("diff", "show what differs between two generations"),
    "audit": Verb("audit", "show who did what to the fleet; `audit verify` checks the record"),
    "unlock": Verb("unlock", "release the lock of a command that is certainly gone"),
    "status": Verb("status", "show every bot: state, orders, fills"),
    "stats": Verb("stats", "show what bots did and made: volumes, profit, orders, times, latencies"),
    "export": Verb("export", "write every own fill and funding payment, as CSV or JSON lines"),
    "metrics": Verb("metrics", "print or serve what Prometheus should know of the fleet"),
    "alerts": Verb("alerts", "show what people should know, and who was told; `alerts test` tries channels"),
    "stop": Verb("stop", "stop bots and hold them until they are started again"),
    "halt": Verb("halt", "kill switch: hold bots, end their processes, cancel their orders at the venue"),
    "start": Verb("start", "lift holds and start bots"),
    "restart": Verb("restart", "stop and start bots"),
    "resume": Verb("resume", "lift holds; a paused bot quotes again"),
    "drift": Verb("drift", "show what is not as it was left; `drift adopt`, `revert`, `ignore`, `unignore`"),
    "adopt": Verb("adopt", "take position that a bot did not trade into its books"),
    "ignore": Verb("ignore", "leave position that a bot did not trade alone for good"),
    "destroy": Verb("destroy", "stop bots and forget that they were applied"),
    "forget": Verb("forget", "put aside what is remembered of a bot that is declared no more"),
    "down": Verb("down", "stop everything without holding it; apply starts it again"),
    "up": Verb("up", "start what was applied last and keep it up, for service managers"),
    "unit": Verb("unit", "print a systemd unit (or launchd job) that starts the fleet with its host"),
    "logs": Verb("logs", "show a bot's log"),
    "run": Verb("run", "run one bot in the foreground: of the fleet, of a file, or of flags alone"),
    "sim": Verb("sim", "run a simulated venue in the foreground"),
    "market": Verb("market", "look at a venue's markets: list, info, book, klines, analyse, record"),
    "calibrate": Verb("calibrate", "measure volatility and order arrivals in a recording of a market"),
    "account": Verb("account", "ask a venue about an account: balances, positions, orders, fills"),
    "schema": Verb("schema", "print or write the JSON Schemas for editors"),
    "doctor": Verb("doctor", "check this host and this workspace"),
}

GC_AFTER = 100_000
"""Objects between two looks for garbage in cycles, of which verbs make next to none: the usual 700 cost a fifth of
the time that a large fleet takes to be read."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

EXIT_CODES = """exit codes:
  0 fine   1 failure   2 differences (plan --detailed-exitcode, drift, status --exit-code)
  3 configuration invalid   4 conflict   5 refused   64 wrong usage   130 interrupted"""


class CtrlC:
    """Raises KeyboardInterrupt, and remembers it: what is raised inside a destructor, Python throws away."""

    def __init__(self) -> None:
        self.pressed = False
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._press)

    def _press(self, _number: int, _frame: FrameType | None) -> None:
        self.pressed = True
        raise KeyboardInterrupt


def main() -> int:
    """The installed command; returns the exit code."""
    gc.set_threshold(GC_AFTER)
    ctrl_c = CtrlC()
    try:
        code = run(sys.argv[1:])
        if ctrl_c.pressed and not code:
            raise _interrupted()
        return code
    except BotctlError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except PermissionError as error:
        print(f"error: not allowed: {error.filename}", file=sys.stderr)
        print("hint: `ls -ld` tells whose it is; work as its owner, or let yourself in with chmod", file=sys.stderr)
        return Refused.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return Interrupted.exit_code
    except BrokenPipeError:
        # Whoever read our output (`| head`) has seen enough; the flush at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        print(f"error: {error.strerror}", file=sys.stderr)
        print("hint: free disk space, then do it again; `botctl halt` and `down` work without", file=sys.stderr)
        return BotctlError.exit_code


def run(arguments: list[str]) -> int:
    """Carry out one command line."""
    name, *rest = _verb_first(arguments) or ["help"]
    if name in ("-h", "--help", "help"):
        print(_overview())
        return 0
    if name == "--version":
        print(f"botctl {__version__}")
        return 0
    if name not in VERBS:
        raise UsageError(f"no verb {name!r}", hint=_nearest(name))
    return _call(name, rest)


def _verb_first(arguments: list[str]) -> list[str]:
    """`botctl -C DIR plan` is `botctl plan -C DIR`, as people know it from git."""
    if not arguments or arguments[0] not in ("-C", "--directory"):
        return arguments
    if len(arguments) < 3:
        raise UsageError(
            "what to do in that workspace is not said", hint="botctl -C DIR VERB, e.g. botctl -C . plan"
        )
    return [arguments[2], *arguments[:2], *arguments[3:]]


def _call(name: str, arguments: list[str]) -> int:
    """Let typer read a verb's own arguments; what it does not understand is a usage error, never exit code 2."""
    import typer

    function = import_module(f"engine.commands.{VERBS[name].module}").command
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, help=function.__doc__)(function)
    # The class stands in click or in typer's own copy of it, depending on typer's version.
    usage_error = cast(type[Exception], typer.BadParameter.__base__)
    try:
        command = typer.main.get_command(app)
        result = command.main(arguments, prog_name=f"botctl {name}", standalone_mode=False)
    except typer.Abort as abort:
        raise _interrupted() from abort
    except usage_error as error:
        words = cast(typer.BadParameter, error).format_message()  # with the name of the option that is meant
        raise UsageError(words, hint=f"botctl {name} --help") from error
    if result == Interrupted.exit_code:
        raise _interrupted()
    return result if isinstance(result, int) else 0


def _interrupted() -> Interrupted:
    return Interrupted("interrupted", hint="run it again: it goes on from the state things are in now")


def _overview() -> str:
    width = max(map(len, VERBS))
    lines = [f"  {name:<{width}}  {verb.help}" for name, verb in VERBS.items()]
    head = "botctl: declare a fleet of trading bots, plan, apply.\n\nusage: botctl VERB [-C DIR] …\n\n"
    return f"{head}{chr(10).join(lines)}\n\n{EXIT_CODES}\n\nbotctl VERB --help tells more."


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    if name.startswith("-"):
        return "the verb comes first, then its options; `botctl --help` lists the verbs"
    close = get_close_matches(name, VERBS, n=1)
    return f"did you mean `botctl {close[0]}`?" if close else "`botctl --help` lists the verbs"


if __name__ == "__main__":
    sys.exit(main())
