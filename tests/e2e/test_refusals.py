"""What must not be carried out, typed at the installed command: each is refused with its documented exit code and
words that say what to do, and the fleet goes on as if nobody had typed anything."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import pytest

from engine.control.lock import writer_lock
from engine.host.generation import current_number, kept_generations
from tests.e2e.botctl import BTC, FLEET, SOL, Botctl

pytestmark = pytest.mark.timeout(300)

INVALID, CONFLICT, REFUSED = 3, 4, 5
PLAN = "change.botplan"
SECRET = "qDoNotShowThisSecretqDoNotShow"
CREDENTIALS = '{api_key: "${KEY}", api_secret: "${SECRET}"}'
REAL = f"  real: {{venue: backpack, environment: mainnet, credentials: {CREDENTIALS}}}\n"
SIGNED = "live: allowed\npolicy: {signed: {level: deny, mainnet_commit: signed}}\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
)

Meanwhile = AbstractContextManager[object]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is so when somebody types; the exit code, what is wrong, and what to do about it."""

    name: str
    given: Callable[[Botctl], Meanwhile | None]
    typed: tuple[str, ...] = ("apply", "--yes")
    code: int
    wrong: str
    help: str


def another_apply(botctl: Botctl) -> Meanwhile:
    edit(botctl)
    return writer_lock(botctl.workspace, "apply")


def stale(botctl: Botctl) -> None:
    saved(botctl)
    botctl("apply", "--yes", "btc")


def flipped(botctl: Botctl) -> None:
    saved(botctl)
    content = bytearray((botctl.root / PLAN).read_bytes())
    content[len(content) // 2] ^= 1
    (botctl.root / PLAN).write_bytes(content)


def expired(botctl: Botctl) -> None:
    saved(botctl, "--expires-s", "1")
    time.sleep(1.1)


def unsigned(botctl: Botctl) -> None:
    botctl.write("bots/fleet.yaml", FLEET.replace("sim:\n", f"{REAL}sim:\n") + SIGNED)
    botctl.write("bots/btc.yaml", BTC.replace("account: beta", "account: real"))
    botctl.write(".env", "KEY=a\nSECRET=b\n")
    (botctl.root / ".env").chmod(0o600)
    botctl.write(".gitignore", ".botctl\n.env\n")
    git = ["git", "-c", "user.name=ann", "-c", "user.email=ann@example.invalid"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "--no-gpg-sign", "-m", "unsigned"]):
        subprocess.run([*git, *words], cwd=botctl.root, check=True)


@contextmanager
def linked_out(botctl: Botctl) -> Iterator[None]:
    elsewhere = botctl.root.with_name(f"{botctl.root.name}-elsewhere.yaml")
    elsewhere.write_text(SOL.replace("name: sol", "name: stranger"))
    (botctl.root / "bots" / "stranger.yaml").symlink_to(elsewhere)
    try:
        yield
    finally:
        elsewhere.unlink()


def bomb(botctl: Botctl) -> None:
    botctl.write("bots/bomb.yaml", BOMB)


def loop_in_template(botctl: Botctl) -> None:
    template(botctl, '"{% for x in range(9) %}1{% endfor %}"')


def template_of_itself(botctl: Botctl) -> None:
    template(botctl, "1\n  template: round")


def alias_of_itself(botctl: Botctl) -> None:
    botctl.write("bots/round.yaml", "metadata: &me {name: *me}\n")


def pasted(botctl: Botctl) -> None:
    account = f"  real: {{venue: backpack, credentials: {{api_key: x, api_secret: {SECRET}}}}}\n"
    botctl.write("bots/fleet.yaml", FLEET.replace("sim:\n", f"{account}sim:\n"))


def edit(botctl: Botctl) -> None:
    """Something to do for whoever plans."""
    botctl.write("bots/sol.yaml", SOL.replace("spread_bps: 8", "spread_bps: 12"))
    botctl.write("bots/btc.yaml", BTC.replace("max_position: 0.1", "max_position: 0.2"))


def saved(botctl: Botctl, *options: str) -> None:
    edit(botctl)
    botctl("plan", "-o", PLAN, *options)


def template(botctl: Botctl, layers: str) -> None:
    (botctl.root / "templates").mkdir()
    spec = "exchange: {account: alpha, market: ETH_USDC}\n  strategy: {kind: market_maker, spread_bps: 9}"
    botctl.write("templates/round.yaml", f"parameters: {{}}\nbot:\n  {spec}\n  risk: {{}}\n  enabled: {layers}\n")
    botctl.write("bots/round.yaml", "metadata: {name: round}\ntemplate: round\n")


APPLY_SAVED = ("apply", PLAN)
CASES = [
    Case(
        name="two applies at once",
        given=another_apply,
        code=CONFLICT,
        wrong="is changing this fleet",
        help="wait until it is done, or end that process",
    ),
    Case(
        name="a stale plan",
        given=stale,
        typed=APPLY_SAVED,
        code=CONFLICT,
        wrong="the plan is stale",
        help="run `botctl plan` again and look at the difference",
    ),
    Case(
        name="a plan file with a flipped byte",
        given=flipped,
        typed=APPLY_SAVED,
        code=CONFLICT,
        wrong="is damaged: its bytes are not those that were written",
        help="make a new one: botctl plan -o FILE",
    ),
    Case(
        name="an expired plan",
        given=expired,
        typed=APPLY_SAVED,
        code=CONFLICT,
        wrong="and expired at",
        help="make a new one: botctl plan -o FILE",
    ),
    Case(
        name="an unsigned commit where policy asks for a signed one",
        given=unsigned,
        typed=("apply", "--yes", "--accept", "mainnet"),
        code=REFUSED,
        wrong="not signed; rule signed allows a clean, signed commit",
        help="git commit --amend -S",
    ),
    Case(
        name="a link out of the workspace",
        given=linked_out,
        code=INVALID,
        wrong="bots/stranger.yaml",
        help="copy the file in",
    ),
    Case(
        name="a YAML bomb",
        given=bomb,
        code=INVALID,
        wrong="bots/bomb.yaml:5:20: error: more than 50000 values, aliases counted",
        help="botctl validate",
    ),
    Case(
        name="a loop in a template",
        given=loop_in_template,
        code=INVALID,
        wrong="templates/round.yaml:6:12: error: this expression cannot be used",
        help="only {{ expressions }} can be used, no {% statements %}",
    ),
    Case(
        name="a template that uses itself",
        given=template_of_itself,
        code=INVALID,
        wrong="templates/round.yaml:7:3: error: a template cannot hold `template`",
        help="templates do not nest",
    ),
    Case(
        name="an alias that holds itself",
        given=alias_of_itself,
        code=INVALID,
        wrong="bots/round.yaml:1:22: error: alias *me refers to itself",
        help="botctl validate",
    ),
    Case(
        name="a secret pasted in YAML",
        given=pasted,
        code=INVALID,
        wrong="must be a reference to a secret, never the secret itself",
        help="write ${VARIABLE} and put it into .env, or {file: PATH}; if a real key stood here, revoke it",
    ),
]


def test_what_must_not_be_done_is_refused_and_the_fleet_goes_on(botctl: Botctl) -> None:
    botctl("apply", "--yes")
    for case in CASES:
        declare(botctl)
        meanwhile = case.given(botctl) or nullcontext()
        before = as_it_is(botctl)
        with meanwhile:
            said = botctl(*case.typed, code=case.code)
        assert case.wrong in said, case.name
        assert case.help in said, case.name
        assert SECRET not in said and "Traceback" not in said, case.name
        assert as_it_is(botctl) == before, case.name


def declare(botctl: Botctl) -> None:
    """The fleet as it was before the case, and nothing beside it."""
    for folder in (botctl.workspace.bots, botctl.root / "templates", botctl.root / ".git"):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (".env", ".gitignore", PLAN):
        (botctl.root / file).unlink(missing_ok=True)
    botctl.workspace.bots.mkdir()
    for path, text in (("bots/fleet.yaml", FLEET), ("bots/sol.yaml", SOL), ("bots/btc.yaml", BTC)):
        botctl.write(path, text)


def as_it_is(botctl: Botctl) -> tuple[object, ...]:
    """Who runs, which generations there are and which is in force, and every byte of the record."""
    workspace = botctl.workspace
    return (
        botctl.runners(),
        kept_generations(workspace),
        current_number(workspace),
        workspace.audit_log.read_bytes(),
    )
