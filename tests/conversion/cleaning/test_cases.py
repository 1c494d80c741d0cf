"""The test cases in `cases/`: each file contains a body and the expected result. README.md describes the format."""

import pytest

from conversion.cleaning import quotes, signatures
from tests.conversion.cleaning.case_files import CASES, cleaned, files_in, read


@pytest.mark.parametrize("path", files_in(CASES), ids=lambda path: path.stem)
def test_text_and_signature_are_the_expected_ones(path):
    case = read(path)
    result = cleaned(case)
    assert result.newest == case["newest"]
    assert result.signature == case.get("signature", "")


def test_there_are_at_least_150_cases():
    assert len(files_in(CASES)) >= 150


def test_each_rule_cuts_text_in_at_least_one_case():
    cuts = [cut.rule for path in files_in(CASES) for cut in cleaned(read(path)).cuts]
    rules = {rule for cut in cuts for rule in cut.removeprefix("signature: ").split(" + ")}
    assert rules >= set(quotes.RULES) | set(signatures.RULES) | {"banner"}
