"""docs/errors.md: what each error means, who is paused, and what to do. Made from the catalogue and the decision table.

`python -m sync.reporting.error_reference > docs/errors.md`. A test compares them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from integrations.catalogue import ANSWERS, CatalogueEntry, entries
from integrations.errors import Evidence
from sync.engine.error_scope import TABLE

HEAD = """# Errors explained

The same as the page *Errors* of the product. Made by `python -m sync.reporting.error_reference`.

## Who is paused

The answer of the other side alone does not say whose fault it is: one mailbox may lie on an older server than its neighbours.
So it is judged together with what was seen of the others. The first line of an answer that fits decides
(`sync/engine/error_scope.py`).
"""
REMEDIES = "\n## What each error means\n"


def as_markdown() -> str:
    """The whole document."""
    return "\n".join([HEAD, *_table(), REMEDIES, *(line for entry in entries() for line in _entry(entry))])


def _table() -> Iterator[str]:
    yield "| Answer | When | Who is paused | What happens by itself |"
    yield "| --- | --- | --- | --- |"
    for row in TABLE:
        yield f"| {_capital(ANSWERS[row.evidence])} | {row.when} | {row.paused or 'Nobody.'} | {row.then} |"


def _entry(entry: CatalogueEntry) -> Iterator[str]:
    causes = "\n".join(f"- {cause}" for cause in entry.causes)
    yield f"### {entry.kind}\n"
    yield f"{entry.text}\n"
    if entry.evidence is not None:
        yield f"Answer: {entry.answer}.\n"
    yield f"Who is paused: {_who(entry.evidence) if entry.evidence else f'{_capital(entry.scope)}.'}\n".replace(
        ": \n", ":\n"
    )
    yield f"Likely causes:\n\n{causes}\n"
    yield f"What to do: {entry.remedy}\n"
    if entry.further:
        yield "Source: " + ", ".join(f"[{page.title}]({page.url})" for page in entry.further) + "\n"


def _who(evidence: Evidence) -> str:
    """By all lines of the table. What else they say of it, the table tells."""
    rows = [row for row in TABLE if row.evidence is evidence]
    who = [f"{row.paused.partition('.')[0]}." if row.paused else "Nobody." for row in rows]
    if len(set(who)) == 1:
        return who[0]
    return "\n\n" + "\n".join(
        f"- {row.when}: {told[:1].lower()}{told[1:]}" for row, told in zip(rows, who, strict=True)
    )


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
