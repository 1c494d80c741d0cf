"""No rule without a case that it cuts."""

from pathlib import Path

from sync.cleaning import clean, quotes, signatures
from sync.limits import DEFAULT_LIMITS
from sync.mime.parts import Section
from tests.unit.cleaning.test_cases import CASES, read


def test_each_rule_has_a_case_that_it_cuts():
    cases = [read(Path(path)) for path in CASES]
    cuts = [
        cut.rule.removeprefix("signature: ")
        for case in cases
        for cut in clean([Section(case.get("plain"), case.get("html"))], case.get("subject", ""), DEFAULT_LIMITS).cuts
    ]
    assert set(cuts) >= set(quotes.RULES) | set(signatures.RULES)
