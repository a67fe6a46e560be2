"""Rules about who answers for a plan: the commit its files come from, and a second pair of eyes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from engine.plan.desired import Desired
from engine.plan.findings import Breach
from engine.plan.policy_facts import Facts, Origin, Signature
from engine.plan.words import NAMES_MAX, listed
from engine.spec.policy import CommitState, Rule
from engine.spec.types import Environment

_APPROVE = "{} -o FILE.botplan, then somebody else: botctl approve FILE.botplan, then botctl apply FILE.botplan"


def commit(rule: Rule, desired: Desired, facts: Facts) -> Iterator[Breach]:
    """Real money follows files that were committed, and, where the rule says so, signed."""
    bots = _bots_in(desired, {Environment.MAINNET})
    if not bots or facts.is_again:
        return
    limit = "nothing uncommitted" if rule.mainnet_commit is CommitState.CLEAN else "a clean, signed commit"
    what = f"commit that {listed(bots, NAMES_MAX)} on mainnet come from"
    found = facts.commit
    if not found.id:
        hint = "keep bots/, templates/ and envs/ in git, and commit them"
        yield Breach(what=what, figure=f"unknown: {found.says}", limit=limit, hint=hint, is_unknown=True)
        return
    if found.dirty:
        figure = f"{found.id[:12]} with changes that are not in it: {listed(list(found.dirty), NAMES_MAX)}"
        yield Breach(what=what, figure=figure, limit=limit, hint="commit them, or put them back: git status")
    if rule.mainnet_commit is CommitState.SIGNED and found.signature is not Signature.GOOD:
        yield Breach(what=what, figure=_unsigned(found), limit=limit, hint=_how_to_sign(found))


def four_eyes(rule: Rule, desired: Desired, facts: Facts) -> Iterator[Breach]:
    """Exactly this plan was approved by somebody else than the one who applies it."""
    bots = _bots_in(desired, rule.four_eyes or ())
    others = [approval for approval in facts.approvals if approval.who != facts.applier]
    if not bots or others:
        return
    own = f"approved by {facts.applier} alone, who applies it" if facts.approvals else "approved by nobody"
    yield Breach(
        what=f"plan with {listed(bots, NAMES_MAX)} in {', '.join(rule.four_eyes or ())}",
        figure=own,
        limit="what somebody else approved",
        hint=_APPROVE.format("botctl rollback GEN" if facts.is_again else "botctl plan"),
    )


def _bots_in(desired: Desired, environments: Collection[str]) -> list[str]:
    return [
        name
        for name, bot in sorted(desired.bots.items())
        if bot.spec.enabled and any(account.environment in environments for account in bot.spec.accounts.values())
    ]


def _unsigned(found: Origin) -> str:
    state = "not signed" if found.signature is Signature.NONE else "whose signature is not good"
    return f"{found.id[:12]}, {state}" + (f" ({found.says})" if found.says else "")


def _how_to_sign(found: Origin) -> str:
    if found.signature is Signature.NONE:
        return "git commit --amend -S, with a key that git's allowed signers name"
    return "git verify-commit HEAD says why; git config gpg.ssh.allowedSignersFile names those who may sign"
