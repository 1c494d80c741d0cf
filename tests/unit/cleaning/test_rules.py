"""No rule without a case that it cuts."""

from sync.cleaning import quotes, signatures
from tests.unit.cleaning.test_cases import CASES, cleaned_case, read


def test_each_rule_has_a_case_that_it_cuts():
    cuts = [cut.rule for path in CASES for cut in cleaned_case(read(path)).cuts]
    rules = {rule for cut in cuts for rule in cut.removeprefix("signature: ").split(" + ")}
    assert rules >= set(quotes.RULES) | set(signatures.RULES) | {"banner"}
