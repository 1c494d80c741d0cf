"""Every path in the documents about architecture, terms, decisions and protocols exists, and every decision is in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tree import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(
    [DOCS / "architecture.md", DOCS / "glossary.md", *DOCS.glob("decisions/*.md"), *DOCS.glob("protocols/*.md")]
)
PATH_IN_CODE = re.compile(r"`([A-Za-z_.][\w.-]*/(?:[\w.-]+/)*(?:[\w-]+\.(?:py|toml|md|yaml))?)`")
"""A code span with a path below the root: a file with one of these extensions, or a folder with a slash at the end."""
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")


def missing(page: Path) -> list[str]:
    """Return the paths and links of a page that do not exist."""
    text = page.read_text()
    paths = [path for path in PATH_IN_CODE.findall(text) if not (ROOT / path).exists()]
    links = [link for link in LINK.findall(text) if "://" not in link and not (page.parent / link).exists()]
    return [*paths, *links]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_path_that_a_page_names_exists(page):
    assert not missing(page)


def test_the_pages_that_explain_the_code_name_many_files():
    for name, least in (("architecture.md", 50), ("glossary.md", 50)):
        assert len(set(PATH_IN_CODE.findall((DOCS / name).read_text()))) >= least


def test_a_path_that_does_not_exist_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "`sync/models.py`, `sync/`, `sync/no_such_file.py`, `no_such_folder/` and [a page](no_such_page.md)"
    )
    assert missing(page) == ["sync/no_such_file.py", "no_such_folder/", "no_such_page.md"]


def test_every_decision_is_in_the_index():
    index = (DOCS / "decisions/README.md").read_text()
    decisions = {path.name for path in DOCS.glob("decisions/[0-9]*.md")}
    assert decisions
    assert set(re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", index)) == decisions
