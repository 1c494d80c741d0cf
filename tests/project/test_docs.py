"""The pictures, the links and the list of dependencies in the documents match the source tree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from demo.screenshots import DOCS
from tests.tree import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/**/*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def linked(document: Path) -> set[Path]:
    """Return the files that a document links to."""
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    return {(document.parent / target).resolve() for target in targets if "://" not in target}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_points_to_an_existing_file(document):
    assert {str(path) for path in linked(document) if not path.exists()} == set()


def test_the_documents_show_exactly_the_committed_pictures():
    committed = set((ROOT / "docs/screenshots").iterdir())
    assert {path.name for path in committed} == {f"{name}.jpg" for name in DOCS}
    assert {path for document in DOCUMENTS for path in linked(document) if path.suffix == ".jpg"} == committed


def test_exactly_the_dependencies_are_explained():
    named = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", (ROOT / "docs/dependencies.md").read_text(), re.M)
    explained = {name.lower() for row in rows for name in row.split(", ")} - {"dependency", "---"}
    assert explained == {re.match(r"[\w-]+", name)[0].lower() for name in named} | {"redis"}
