"""Policies as a person meets them: typed commands, their exit codes, and what is kept of an override."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

import cli
from engine.control import approvals
from engine.control import fleet as fleets_of_control
from engine.control.approvals import KEEP_S, approve
from engine.control.chain import verify
from engine.control.fleet import Fleet, person
from engine.errors import StateDamaged
from engine.host.approvals import approvals_file, approvals_of
from engine.host.generation import current_number, read_meta
from engine.resources import resource
from engine.spec.assemble import fleet_spec

FLEET = """\
id: lab
live: allowed
accounts:
  main: {{venue: backpack, environment: sim, balances: {{USDC: 10000}}}}
  real: {{venue: backpack, environment: mainnet, credentials: {{api_key: "${{KEY}}", api_secret: "${{SECRET}}"}}}}
sentinel: {{enabled: false}}
policy: {policy}
"""
BOT = """\
metadata: {{name: {name}}}
enabled: {enabled}
exchange: {{account: {account}, market: {market}}}
strategy: {{kind: perp_market_maker, spread_bps: {spread}, order_size: 0.1, layers: 1}}
risk: {{max_position: 1}}
process: {{stop_timeout_s: 2}}
"""
ONLY_BTC = "{{only-btc: {{level: {level}, reason: the mandate, markets: {{backpack: ['BTC*']}}}}}}"
TOTAL = "{{all: {{level: {level}, max_total_notional_usd: 1}}}}"
EYES = "{eyes: {level: deny, four_eyes: [sim]}}"


class Desk:
    """A workspace, and somebody who types commands there."""

    def __init__(self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.fleet, self.root = fleet, fleet.workspace.root
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def declare(self, policy: str = "{}", **bots: dict[str, Any]) -> None:
        folder = self.fleet.workspace.bots
        folder.mkdir(exist_ok=True)
        for file in folder.glob("*.yaml"):
            file.unlink()
        (folder / "fleet.yaml").write_text(FLEET.format(policy=policy))
        for name, said in bots.items():
            usual = {"name": name, "enabled": "true", "account": "main", "market": "SOL_USDC_PERP", "spread": 10}
            (folder / f"{name}.yaml").write_text(BOT.format(**{**usual, **said}))

    def type(self, *words: object, by: str | None = None) -> tuple[int, str, str]:
        """Exit code, what was printed, and what was told beside it."""
        if by is not None:
            for module in ("engine.control.policy", "engine.control.approvals"):
                self._monkeypatch.setattr(f"{module}.person", lambda: by)
        self._monkeypatch.setattr("sys.argv", ["botctl", *map(str, words), "-C", str(self.root)])
        self._capsys.readouterr()
        code = cli.main()
        printed = self._capsys.readouterr()
        return code, printed.out, printed.err

    @property
    def generation(self) -> int | None:
        return current_number(self.fleet.workspace)

    def audit(self) -> list[dict[str, Any]]:
        content = self.fleet.workspace.audit_log.read_bytes()
        assert not verify(content).broken
        return [json.loads(line) for line in content.splitlines()]


@pytest.fixture
def desk(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.setattr(fleets_of_control, "supervisor_backend", lambda _workspace: fleet.backend)
    monkeypatch.setattr(
        "engine.spec.load.fleet_spec", lambda data, env: msgspec.structs.replace(fleet_spec(data, env), sims={})
    )
    return Desk(fleet, monkeypatch, capsys)


@pytest.mark.parametrize(("level", "code"), [("deny", 5), ("override", 0), ("warn", 0)])
def test_validate_names_the_bots_line_and_the_rules(desk: Desk, level: str, code: int) -> None:
    desk.declare(ONLY_BTC.format(level=level), sol={})
    given, printed, _ = desk.type("validate")
    assert given == code
    assert "bots/sol.yaml:3:" in printed
    assert "rule only-btc: bots/fleet.yaml:7:" in printed
    assert "SOL_USDC_PERP on backpack; rule only-btc allows BTC* (the mandate)" in printed
    found = json.loads(desk.type("validate", "--json")[1])
    assert (found["ok"], found["diagnostics"][0]["code"]) == (not code, f"policy-{level}")


def test_validate_says_nothing_of_what_files_cannot_know(desk: Desk) -> None:
    desk.declare(TOTAL.format(level="deny"), sol={})
    assert desk.type("validate")[0] == 0


def test_a_rule_that_limits_nothing_or_two_things_is_a_mistake_in_the_file(desk: Desk) -> None:
    desk.declare("{a: {level: deny}, b: {level: warn, strategies: [grid], venues: [aster]}}", sol={})
    code, printed, _ = desk.type("validate")
    assert code == 3
    assert "[rule-without-limit]" in printed
    assert "[rule-with-limits]" in printed


def test_plan_shows_findings_as_text_and_as_json_and_exits_with_zero(desk: Desk) -> None:
    desk.declare(ONLY_BTC.format(level="deny"), sol={})
    code, printed, _ = desk.type("plan")
    assert (code, "policy deny: bot sol, market: SOL_USDC_PERP on backpack" in printed) == (0, True)
    document = json.loads(desk.type("plan", "--json")[1])
    jsonschema.Draft202012Validator(json.loads(resource("schemas", "plan.schema.json").read_text())).validate(
        document
    )
    (finding,) = document["policy"]
    assert (finding["rule"], finding["level"], finding["bot"], finding["is_unknown"]) == (
        "only-btc",
        "deny",
        "sol",
        False,
    )
    assert (finding["place"], finding["rule_place"]) == ("bots/sol.yaml:3", "bots/fleet.yaml:7")


def test_apply_refuses_what_a_rule_denies_and_names_rule_bot_figure_limit_and_way_out(desk: Desk) -> None:
    desk.declare(ONLY_BTC.format(level="deny"), sol={})
    code, _, told = desk.type("apply", "--yes")
    assert code == 5
    for word in ("only-btc", "bot sol", "SOL_USDC_PERP", "BTC*", "choose one that is allowed"):
        assert word in told
    assert desk.generation is None


def test_a_denied_rule_cannot_be_overridden(desk: Desk) -> None:
    desk.declare(ONLY_BTC.format(level="deny"), sol={})
    code, _, told = desk.type("apply", "--yes", "--override", "only-btc", "--why", "I want to")
    assert (code, "nobody overrides" in told, desk.generation) == (5, True, None)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 5, "--override only-btc --why REASON"),
        (("--override", "only-btc"), 64, "an override needs a reason"),
        (("--override", "only-btc", "--why", "  "), 64, "an override needs a reason"),
        (("--override", "only-eth", "--why", "so"), 64, "rules are: only-btc"),
    ],
)
def test_an_override_names_its_rule_and_says_why(desk: Desk, words: tuple[str, ...], code: int, says: str) -> None:
    desk.declare(ONLY_BTC.format(level="override"), sol={})
    given, _, told = desk.type("apply", "--yes", *words)
    assert (given, says in told, desk.generation) == (code, True, None)


def test_an_override_is_kept_in_the_generation_the_history_and_the_audit_log(desk: Desk) -> None:
    desk.declare(ONLY_BTC.format(level="override"), sol={})
    assert desk.type("apply", "--yes", "--override", "only-btc", "--why", "asked by risk")[0] == 0
    words = "bot sol, market: SOL_USDC_PERP on backpack; rule only-btc allows BTC* (the mandate)"
    meta = read_meta(desk.fleet.workspace, 1)
    assert (meta.overridden, meta.why) == ((words,), "asked by risk")
    assert {tuple(entry.get("overridden", ())) for entry in desk.audit() if entry["what"] == "apply"} == {(words,)}
    assert f"overridden: {words}" in desk.type("history")[1]


def test_a_warning_is_shown_and_nothing_more(desk: Desk) -> None:
    desk.declare(ONLY_BTC.format(level="warn"), sol={})
    code, printed, _ = desk.type("apply", "--yes")
    assert (code, "policy warn: bot sol" in printed, desk.generation) == (0, True, 1)
    assert read_meta(desk.fleet.workspace, 1).overridden == ()


def test_an_unknown_figure_refuses_and_says_what_would_make_it_known(desk: Desk) -> None:
    desk.declare(TOTAL.format(level="deny"), sol={})
    code, _, told = desk.type("apply", "--yes")
    assert (code, desk.generation) == (5, None)
    assert "all bots together: unknown; rule all allows 1.00 USD at most" in told
    assert "max_gross_exposure_usd under budgets" in told


def test_nothing_stands_in_the_way_of_stopping(desk: Desk) -> None:
    desk.declare(sol={}, eth={"market": "ETH_USDC_PERP"})
    assert desk.type("apply", "--yes")[0] == 0
    desk.declare(TOTAL.format(level="deny"), sol={}, eth={"market": "ETH_USDC_PERP", "enabled": "false"})
    assert desk.type("apply", "--yes")[0] == 0
    assert desk.type("destroy", "--yes")[0] == 0


def test_a_held_bot_does_not_take_forbidden_settings_in_for_later(desk: Desk) -> None:
    desk.declare(sol={})
    assert desk.type("apply", "--yes")[0] == 0
    assert desk.type("stop", "sol")[0] == 0
    desk.declare(ONLY_BTC.format(level="deny"), sol={"spread": 12})
    assert desk.type("apply", "--yes")[0] == 5


def test_a_rollback_brings_settings_back_and_not_the_rules_of_then(desk: Desk) -> None:
    desk.declare(sol={})
    assert desk.type("apply", "--yes")[0] == 0
    desk.declare(ONLY_BTC.format(level="override"), btc={"market": "BTC_USDC_PERP"})
    assert desk.type("apply", "--yes")[0] == 0
    assert desk.type("rollback", "1", "--yes")[0] == 5
    assert desk.type("rollback", "1", "--yes", "--override", "only-btc", "--why", "btc is ill")[0] == 0
    assert desk.generation == 3


def test_rules_of_the_files_hold_also_for_some_bots_only(desk: Desk) -> None:
    desk.declare(eth={"market": "ETH_USDC_PERP"})
    assert desk.type("apply", "--yes")[0] == 0
    desk.declare(ONLY_BTC.format(level="deny"), eth={"market": "ETH_USDC_PERP"}, sol={})
    assert desk.type("apply", "sol", "--yes")[0] == 5


def test_a_bot_that_was_never_applied_does_not_run_around_the_policy(desk: Desk) -> None:
    desk.declare(ONLY_BTC.format(level="override"), sol={})
    code, _, told = desk.type("run", "sol")
    assert (code, "rule only-btc allows BTC*" in told) == (5, True)


def test_mainnet_from_a_dirty_or_unsigned_commit_is_refused(desk: Desk) -> None:
    rules = "{clean: {level: deny, mainnet_commit: clean}, signed: {level: deny, mainnet_commit: signed}}"
    desk.declare(rules, sol={"account": "real"})
    words = ("apply", "--yes", "--accept", "mainnet")
    code, _, told = desk.type(*words)
    assert (code, "not a git repository" in told) == (5, True)
    git = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=desk.root, check=True)
    subprocess.run([*git, "add", "bots"], cwd=desk.root, check=True)
    subprocess.run([*git, "commit", "-q", "--no-gpg-sign", "-m", "first"], cwd=desk.root, check=True)
    code, _, told = desk.type(*words)
    assert (code, "not signed" in told, "rule clean" in told) == (5, True, False)
    desk.declare(rules, sol={"account": "real", "spread": 12})
    code, _, told = desk.type(*words)
    assert (code, "bots/sol.yaml; rule clean allows nothing uncommitted" in told) == (5, True)
    assert desk.generation is None


def test_four_eyes_let_pass_what_somebody_else_approved(desk: Desk) -> None:
    desk.declare(EYES, sol={})
    file = desk.root / "change.botplan"
    assert desk.type("plan", "-o", file, by="ann")[0] == 0
    assert desk.type("apply", "--yes", by="ann")[0] == 5
    code, _, told = desk.type("apply", file, by="ann")
    assert (code, "approved by nobody" in told) == (5, True)
    assert desk.type("approve", file, "--yes", by="ann")[0] == 0
    code, _, told = desk.type("apply", file, by="ann")
    assert (code, "approved by ann alone, who applies it" in told, desk.generation) == (5, True, None)
    assert desk.type("approve", file, "--yes", "--why", "looked at every line", by="bob")[0] == 0
    assert desk.type("apply", file, by="ann")[0] == 0
    assert desk.generation == 1
    told_by = {entry["person"]: entry.get("why") for entry in desk.audit() if entry["what"] == "approve"}
    assert told_by == {"ann": None, "bob": "looked at every line"}
    assert {entry.get("saved_plan") for entry in desk.audit() if entry["what"] == "apply"} <= {
        entry["saved_plan"] for entry in desk.audit() if entry["what"] == "approve"
    }


def test_whoever_approves_hears_that_the_plan_is_stale(desk: Desk) -> None:
    desk.declare(sol={"enabled": "false"})
    file = desk.root / "change.botplan"
    desk.type("plan", "-o", file)
    code, _, told = desk.type("approve", file, "--yes", by="bob")
    assert (code, "stale" in told) == (0, False)
    desk.declare(sol={"enabled": "false", "spread": 12})
    desk.type("apply", "--yes")
    code, printed, told = desk.type("approve", file, "--yes", by="bob")
    assert (code, "approved by bob" in printed) == (0, True)
    assert "warning: the plan is stale: generation 1 is in force, and it was made against None" in told
    assert "hint: run `botctl plan` again" in told


def test_four_eyes_let_a_rollback_pass_that_somebody_else_approved(desk: Desk) -> None:
    desk.declare(sol={})
    assert desk.type("apply", "--yes", by="ann")[0] == 0
    desk.declare(sol={"spread": 12}, eth={"market": "ETH_USDC_PERP"})
    assert desk.type("apply", "--yes", by="ann")[0] == 0
    desk.declare(EYES, sol={"spread": 12}, eth={"market": "ETH_USDC_PERP"})
    file = desk.root / "plan.botplan"
    desk.type("plan", "-o", file)
    desk.type("approve", file, "--yes", by="bob")
    assert desk.type("apply", file, by="ann")[0] == 0

    code, _, told = desk.type("rollback", "1", "--yes", by="ann")
    assert (code, "botctl rollback GEN -o FILE.botplan, then somebody else" in told) == (5, True)
    back = desk.root / "back.botplan"
    code, printed, told = desk.type("rollback", "1", "-o", back, by="ann")
    assert (code, desk.generation) == (0, 3)
    assert "generation 1 has no such bot" in printed and f"saved: botctl apply {back}" in told
    assert desk.type("apply", back, by="ann")[0] == 5
    code, printed, _ = desk.type("approve", back, "--yes", by="bob")
    assert code == 0 and "back to generation 1" in printed and "positions do not roll back" in printed
    code, _, told = desk.type("apply", back, by="ann")
    assert code == 0 and "positions do not roll back" in told
    assert "the files in bots/ still say otherwise" in told
    meta = read_meta(desk.fleet.workspace, 4)
    assert (meta.verb, meta.came_from) == ("rollback", 1)
    assert desk.type("plan")[2].startswith("generation 4 in force is a rollback to 1")
    code, _, told = desk.type("apply", back, by="ann")
    assert (code, "botctl rollback 1 -o FILE" in told) == (4, True), "it is for one moment, as any plan"


def test_an_approval_is_for_one_plan_and_for_no_other(desk: Desk) -> None:
    desk.declare(EYES, sol={})
    first, second = desk.root / "first.botplan", desk.root / "second.botplan"
    desk.type("plan", "-o", first)
    assert desk.type("approve", first, "--yes", by="bob")[0] == 0
    desk.declare(EYES, sol={"spread": 99})
    desk.type("plan", "-o", second)
    assert desk.type("apply", second, by="ann")[0] == 5
    first.write_bytes(first.read_bytes().replace(b'"10"', b'"11"', 1).replace(b":10,", b":11,", 1))
    assert desk.type("apply", first, by="ann")[0] == 4
    assert desk.type("approve", first, "--yes", by="bob")[0] == 4
    assert desk.type("approve", desk.root / "bots" / "sol.yaml", "--yes")[0] == 64
    assert desk.generation is None


def test_nobody_approves_without_having_been_asked(desk: Desk) -> None:
    desk.declare(EYES, sol={})
    file = desk.root / "change.botplan"
    desk.type("plan", "-o", file)
    assert desk.type("approve", file, by="bob")[0] == 5
    assert not desk.fleet.workspace.approvals.exists()


def test_a_saved_plan_keeps_the_commit_that_it_was_made_from(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a plan of uncommitted files would pass once they are put back."""
    desk.declare("{clean: {level: deny, mainnet_commit: clean}}", sol={"account": "real"})
    git = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=desk.root, check=True)
    subprocess.run([*git, "add", "bots"], cwd=desk.root, check=True)
    subprocess.run([*git, "commit", "-q", "--no-gpg-sign", "-m", "first"], cwd=desk.root, check=True)
    committed = (desk.root / "bots" / "sol.yaml").read_text()
    (desk.root / "bots" / "sol.yaml").write_text(committed.replace("spread_bps: 10", "spread_bps: 99"))
    file = desk.root / "change.botplan"
    assert desk.type("plan", "-o", file)[0] == 0
    (desk.root / "bots" / "sol.yaml").write_text(committed)
    code, _, told = desk.type("apply", file, "--accept", "mainnet")
    assert (code, "bots/sol.yaml; rule clean" in told) == (5, True)


def test_approvals_that_are_damaged_count_as_damage_and_not_as_none(desk: Desk) -> None:
    approvals_file(desk.fleet.workspace, "abc").parent.mkdir()
    approvals_file(desk.fleet.workspace, "abc").write_text("[{}]")
    with pytest.raises(StateDamaged):
        approvals_of(desk.fleet.workspace, "abc")
    assert approvals_of(desk.fleet.workspace, "") == ()


def test_two_people_who_approve_at_once_are_both_known(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, write = desk.fleet.workspace, approvals.write_atomic
    monkeypatch.setattr(approvals, "person", lambda: threading.current_thread().name)
    ann, bob = (threading.Thread(target=approve, args=(workspace, "abc", ""), name=name) for name in ("ann", "bob"))

    def slowly(path: Path, content: bytes, *, durable: bool) -> None:
        """Ann has read who approved, and bob comes in between."""
        if threading.current_thread() is ann:
            bob.start()
            bob.join(timeout=0.5)
        write(path, content, durable=durable)

    monkeypatch.setattr(approvals, "write_atomic", slowly)
    ann.start()
    ann.join()
    bob.join()
    assert {one.who for one in approvals_of(workspace, "abc")} == {"ann", "bob"}


def test_approvals_are_forgotten_when_no_plan_can_need_them(desk: Desk) -> None:
    approve(desk.fleet.workspace, "old", "")
    long_ago = time.time() - KEEP_S - 1
    os.utime(approvals_file(desk.fleet.workspace, "old"), (long_ago, long_ago))
    approve(desk.fleet.workspace, "new", "")
    assert [file.stem for file in desk.fleet.workspace.approvals.iterdir()] == ["new"]


@pytest.mark.parametrize(
    ("login", "sudo", "who"),
    [
        ("0", "bob", pwd.getpwuid(0).pw_name),
        (str(2**32 - 1), "bob", "bob"),
        (str(2**32 - 1), "", pwd.getpwuid(os.getuid()).pw_name),
        ("no number", "bob", "bob"),
        (None, "bob", "bob"),
    ],
)
def test_the_person_is_who_logged_in_else_who_said_sudo_else_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: str | None, sudo: str, who: str
) -> None:
    file = tmp_path / "loginuid"
    if login is not None:
        file.write_text(login)
    monkeypatch.setenv("SUDO_USER", sudo)
    assert person(file) == who
