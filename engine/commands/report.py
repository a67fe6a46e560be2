"""A plan as one static page for a pull request: no script, nothing loaded from elsewhere, every word escaped."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, StrictUndefined

from engine import __version__
from engine.plan import render
from engine.plan.actions import Plan
from engine.plan.findings import finding_text
from engine.plan.money import totals
from engine.plan.money_words import in_full, in_total, of_accounts

TEMPLATE = Path(__file__).with_name("report.html.j2")


def render_report(plan: Plan) -> str:
    """The page as text."""
    environment = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    sums = totals(action.money for action in plan.actions)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        plan=plan,
        summary=render.summary(plan),
        symbols=render.SYMBOLS,
        legend=render.LEGEND,
        title=render.title,
        word=render.word,
        objection_text=render.objection_text,
        finding_text=finding_text,
        value=render.value_text,
        money=in_full,
        totals=[*in_total(sums), *of_accounts(sums.accounts)] if any(a.money.legs for a in plan.actions) else [],
        version=__version__,
    )
