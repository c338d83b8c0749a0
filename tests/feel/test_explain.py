"""Null results are explained on request."""

from __future__ import annotations

import pytest

import feel

CONTEXT = {
    "response": {"status": 200, "body": {"items": [{"key": 1}]}},
    "s": "text",
    "n": 5,
    "given": None,
}
REASONS = {
    "respnse": ("no-variable", "no variable `respnse`; did you mean `response`?"),
    "response.statu": ("no-entry", "the context has no entry `statu`; did you mean `status`?"),
    "response.status.code": ("no-property", "a number has no property `code`"),
    "missing.part": ("no-variable", "no variable `missing`"),
    "given.part": ("no-entry", "cannot read `part` of null"),
    "s + n": ("wrong-type", "cannot apply `+` to string and number"),
    "s < n": ("wrong-type", "cannot apply `<` to string and number"),
    "n = s": ("wrong-type", "cannot apply `=` to number and string"),
    's = 5 and true and "x" = n': ("wrong-type", "cannot apply `=` to string and number"),
    "n / 0": ("no-number", "cannot divide by zero"),
    "uper case(s)": ("no-function", "no function `uper case`; did you mean `upper case`?"),
    "upper case(s, s)": ("no-function", "function `upper case` does not take these 2 arguments"),
    "upper case(n)": (
        "wrong-argument",
        "function `upper case` takes a string as `string`, not number",
    ),
    'date("2020-02-30")': ("wrong-argument", "function `date` came to null"),
    "s()": ("no-function", "cannot call `s`: it is string, not a function"),
    "if n then 1 else null": (
        "not-boolean",
        "`if` takes a boolean, not number: `else` is taken",
    ),
    "true and n": ("not-boolean", "`and` takes booleans, not a number"),
    "for i in n return i": ("wrong-type", "`i in` takes a list, not number"),
    "n[1]": ("wrong-type", "only a list can be filtered, not number"),
    '@"tomorrow"': ("wrong-argument", '`@"…"` holds no date, time or duration'),
    '[1.."a"]': ("wrong-type", "the ends of a range must be of one ordered type"),
}


@pytest.mark.parametrize(("text", "reason"), REASONS.items(), ids=REASONS)
def test_a_null_is_explained(text, reason):
    """The first warning says why the result is null, by names and types."""
    explanation = feel.compile(text).explain(CONTEXT)
    assert explanation.value is None
    assert (explanation.warnings[0].kind, explanation.warnings[0].message) == reason


def test_no_warning_shows_a_value():
    """Values of the context stay out of all messages."""
    context = {"secret": "hunter2", "amount": 12345}
    for text in ("secret + amount", "secret.part", "upper case(amount)", "secret < amount"):
        messages = " ".join(w.message for w in feel.compile(text).explain(context).warnings)
        assert messages
        assert "hunter2" not in messages
        assert "12345" not in messages


def test_a_result_without_trouble_has_no_warnings():
    """An entry that is there and null is not a missing one."""
    explanation = feel.compile("{a: given, b: response.status}").explain(CONTEXT)
    assert explanation == feel.Explanation({"a": None, "b": 200}, ())


def test_a_warning_that_comes_in_every_round_is_given_once():
    """A hundred rounds with the same trouble make one warning."""
    explanation = feel.compile("for i in 1..100 return i + missing").explain()
    assert [warning.kind for warning in explanation.warnings] == ["no-variable", "wrong-type"]
