"""Template expressions: Jinja's grammar over exact numbers, and nothing that grows, calls or escapes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spec.document import Plain
from engine.spec.expressions import ExpressionError, evaluate, names_used

VALUES: dict[str, Plain] = {"size": Decimal("0.1"), "n": 3, "market": "sol_usdc", "on": True}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ size }}", Decimal("0.1")),
        ("{{ size * 3 }}", Decimal("0.3")),
        ("{{ size + 0.2 }}", Decimal("0.3")),
        ("{{ 10 / 4 }}", Decimal("2.5")),
        ("{{ 10 / 5 }}", 2),
        ("{{ 7 // 2 }}", 3),
        ("{{ -n }}", -3),
        ("{{ n - 5 | abs }}", -2),
        ("{{ (1 / 3) | round(4) }}", Decimal("0.3333")),
        ("{{ market | upper }}_PERP", "SOL_USDC_PERP"),
        ("{{ market | replace('_', '-') }}", "sol-usdc"),
        ("{{ market ~ n }}", "sol_usdc3"),
        ("{{ ' ' ~ market ~ '/' ~ size ~ '!' | slug }}", " sol_usdc/0.1"),
        ("{{ (market ~ '/' ~ size ~ '!') | slug }}", "sol-usdc-0-1"),
        ("{{ 'wide' if n > 2 else 'tight' }}", "wide"),
        ("{{ 1 < n <= 3 and not on }}", False),
        ("{{ on or n }}", True),
        ("size {{ size }}, {{ on }}", "size 0.1, true"),
    ],
)
def test_an_expression_has_its_exact_value(text: str, value: Plain) -> None:
    result = evaluate(text, VALUES)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 9 ** 9 ** 9 }}",
        "{{ 'a' * 1000000000 }}",
        "{{ [1] * 1000000000 }}",
        "{{ market.upper() }}",
        "{{ market['__class__'] }}",
        "{{ ().__class__.__bases__[0].__subclasses__() }}",
        "{{ market | map('upper') }}",
        "{{ market | center(1000000000) }}",
        "{{ '%099999999d' % 1 }}",
        "{{ size | round(999999999) }}",
        "{{ n / 0 }}",
        "{{ n // 0 }}",
        "{{ n if n > 5 }}",
        "{{ n in market }}",
        "{{ n is odd }}",
        "{{ n < market }}",
        "{{ gone }}",
        "{{ on + 1 }}",
        "{{ 1e999 }}",
        "{{ '\\ud800' }}",
        "{{ n | round(1, 2, 3) }}",
        "{{ n | round(precision=1) }}",
        "{{ n",
        "{{ }}",
        "{% set n = 1 %}",
        "{# comment #}",
        "{{" + "(" * 200 + "n" + ")" * 200 + "}}",
        "{{" + "not " * 400 + "n }}",
        "{{ n" + " + n" * 200 + "}}",
    ],
)
def test_what_an_expression_may_not_do_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        names_used(text)
        evaluate(text, VALUES)


@given(st.text(max_size=60), st.sampled_from(["{{%s}}", "{{ n %s }}", "%s", "{{ n | %s }}"]))
def test_an_expression_has_a_value_or_is_refused(text: str, form: str) -> None:
    try:
        value = evaluate(form.replace("%s", text), VALUES)
    except ExpressionError:
        return
    assert value is None or isinstance(value, str | int | Decimal)


def test_the_parameters_an_expression_names_are_found() -> None:
    assert names_used("{{ a + b | round(c) }} and {{ d }}") == {"a", "b", "c", "d"}
