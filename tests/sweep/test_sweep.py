"""The sweep finds every regular expression of the product, and fails on one that takes more than linear time."""

import importlib
import math
import sys
import textwrap
import time

import pytest

from tests.sweep import bounds
from tests.sweep.bounds import Bound
from tests.sweep.expressions import NOT_THE_PRODUCT, ROOT, find, product_packages
from tests.sweep.growth import cpu_seconds, growth
from tests.sweep.side_by_side import ENDED, side_by_side
from tests.sweep.sweep import sweep_expression

PLANTED = """
    import functools
    import re
    import re as regular
    from dataclasses import dataclass, field
    from re import search as look_for

    TOP = re.compile("top")
    PLACES = ({"key": [re.compile("in a list")]}, frozenset([re.compile("in a set")]))

    class Reader:
        WORD = re.compile("of a class")

        def read(self, text):
            return re.split(r"in a method", text)

        @property
        def first_word(self):
            return look_for("by another name", self.text)

    @dataclass
    class Rule:
        pattern: re.Pattern = field(default_factory=lambda: re.compile("in a default factory"))

    @dataclass(slots=True)
    class Slotted:
        pattern: object

    KEPT = [Rule(re.compile("in an instance")), Slotted(re.compile("in a slot"))]

    def closure():
        hidden = re.compile("in a closure")
        return lambda text: hidden.search(text)

    closed = closure()
    bound = re.compile("behind a bound method").sub
    partly = functools.partial(re.compile("behind a partial").search, "text")

    def with_default(text, pattern=re.compile("in a default")):
        return pattern.match(text)

    @functools.cache
    def cached(word):
        return re.compile("in a cache " + str(word))

    cached(1)
    NAME = "name"

    def at_run_time(text):
        return regular.sub(f"in a function, with a {NAME}", "", text)

    def unknown(word, text):
        return re.search(word + "!", text)
"""


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """Return a function that creates a package with this source, and returns the expressions in it."""

    def make(source):
        package = tmp_path / "planted_package"
        package.mkdir()
        (package / "__init__.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "planted_package", raising=False)
        return find(["planted_package"], tmp_path)

    yield make
    sys.modules.pop("planted_package", None)


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "top",
            "in a list",
            "in a set",
            "of a class",
            "in a method",
            "by another name",
            "in an instance",
            "in a slot",
        ),
        *(
            "in a default factory",
            "in a closure",
            "behind a bound method",
            "behind a partial",
            "in a default",
            "in a cache 1",
        ),
        "in a function, with a name",
    ],
)
def test_an_expression_is_found_wherever_it_is_stored(planted, pattern):
    assert pattern in {one.pattern.pattern for one in planted(PLANTED).expressions}


def test_an_expression_that_depends_on_local_values_is_reported(planted):
    assert [one.source for one in planted(PLANTED).unknown] == [
        "re.compile('in a cache ' + str(word))",
        "re.search(word + '!', text)",
    ]


def test_the_methods_that_are_called_on_an_expression_are_found(planted):
    found = planted(
        "import re\nBLANKS = re.compile('a')\ndef tidy(text):\n    return BLANKS.sub('', text), BLANKS.fullmatch(text)\n"
    )
    assert [one.methods for one in found.expressions] == [{"sub", "fullmatch"}]


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (
            r"[^\S\n]+(?=\n|$)",
            "sub",
        ),  # this expression of an earlier version took minutes for a long sequence of blanks
        (r"\s+$", "search"),
        (r"(a+)+b", "match"),
        (r"<!--.*?-->", "finditer"),
        (r"x*y", "findall"),
        (r"(\w+\s?)*:", "fullmatch"),
    ],
)
def test_the_sweep_fails_on_an_expression_that_is_not_linear(planted, monkeypatch, pattern, method):
    # Faster settings than those of the real sweep. They are less precise, but no expression of this test is a borderline case.
    monkeypatch.setattr("tests.sweep.growth.GIVEN_UP", 1.0)
    monkeypatch.setattr("tests.sweep.growth.SHORTEST_RUN", 0.01)
    monkeypatch.setattr("tests.sweep.growth._TIMES", 1)
    monkeypatch.setattr("tests.sweep.sweep.ENOUGH", 1)
    given = "'', text" if method == "sub" else "text"
    source = f"import re\nWORD = re.compile({pattern!r})\ndef use(text):\n    return WORD.{method}({given})\n"
    (expression,) = planted(source).expressions
    assert expression.methods == {method}
    assert sweep_expression(expression)


def test_the_sweep_passes_a_linear_expression(planted):
    (expression,) = planted(
        "import re\nWORD = re.compile('[a-z]{1,9}:')\ndef use(text):\n    return WORD.match(text)\n"
    ).expressions
    assert sweep_expression(expression) == []


def test_an_expression_with_a_bound_is_swept_up_to_its_bound(planted, monkeypatch):
    monkeypatch.setitem(bounds.BOUNDS, "planted_package.WORD", Bound(200, 0.1, "a test"))
    (expression,) = planted(
        "import re\nWORD = re.compile('x*y')\ndef use(text):\n    return WORD.search(text)\n"
    ).expressions
    assert sweep_expression(expression) == []


def test_a_bound_of_an_expression_that_does_not_exist_is_reported(monkeypatch):
    monkeypatch.setattr(bounds, "BOUNDS", {"sync.a.GONE": Bound(1, 1, ""), "sync.b.*": Bound(1, 1, "")})
    assert bounds.stale(["sync.a.HERE", "sync.b.WORD"]) == ["sync.a.GONE"]


@pytest.mark.slow
def test_no_expression_of_the_product_is_unknown_and_no_bound_is_stale():
    importlib.import_module("config.urls")
    found = find(product_packages())
    names = [one.name for one in found.expressions]
    assert not found.unknown
    assert not bounds.stale(names)
    assert {"conversion.mime.elide.RUN", "api.urls.Hex.regex"} <= set(names)
    assert any(all(":" in name for name in one.names) for one in found.expressions), (
        "none was found in the source alone"
    )


def test_the_sweep_includes_the_packages_of_the_product_and_each_excluded_package_exists():
    assert set(product_packages()) >= {"sync", "integrations", "mailboxes", "api", "config"}
    assert all((ROOT / name / "__init__.py").exists() for name in NOT_THE_PRODUCT)


@pytest.mark.parametrize(
    ("seconds", "fails"),
    [
        (lambda count: 1e-6 * count, False),
        (lambda count: 1e-7 * count * math.log2(count + 1), False),
        (lambda count: 1e-8 * count * count, True),
        (lambda count: 1e-6 * count + 1e-10 * count**2, True),
        (lambda count: 1e-12 * count**3, True),
        (lambda count: None if count > 1_000 else 1e-6, True),  # the call was ended
    ],
    ids=["linear", "n log n", "quadratic", "quadratic at last", "cubic", "endless"],
)
def test_quadratic_growth_is_distinguished_from_linear_growth(monkeypatch, seconds, fails):
    """The CPU times are given and not measured, so that a busy machine cannot change the result."""
    monkeypatch.setattr("tests.sweep.growth.cpu_seconds", lambda call, given: call(given))
    assert growth(seconds, lambda repeats: repeats, 1).fails is fails


def test_the_time_of_a_call_is_its_cpu_time():
    assert cpu_seconds(time.sleep, 0.05) < 0.05 < cpu_seconds(_spin, 0.1)


def _spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_process_that_ends_unexpectedly_is_reported_and_stops_no_other():
    calls = [lambda: sys.exit(3), lambda: "well"]
    assert dict(side_by_side(calls)) == {0: ENDED, 1: "well"}
