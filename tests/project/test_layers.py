"""Every module of the product is in a layer of `.importlinter`, so that all imports are checked.

No layer is too large, and class names are unique.
"""

import ast
import re
from collections import Counter

from tests.tree import ROOT, contract, product_sources

PACKAGES_ONLY = {"sync"}
"""Packages whose modules are in several layers. Their `__init__.py` contains no code."""


def layers() -> set[str]:
    lines = contract("importlinter:contract:packages")["layers"]
    return {name for line in lines for name in re.split(r"[\s|:]+", line)} | {"access"}


def is_in(module: str, layer: str) -> bool:
    return module == layer or module.startswith(f"{layer}.")


def test_every_module_of_the_product_is_in_a_layer():
    known = layers()
    outside = {name for name, _ in product_sources() if not any(is_in(name, layer) for layer in known)}
    assert outside == PACKAGES_ONLY


def test_no_layer_has_a_fifth_of_the_lines():
    lines = dict.fromkeys(layers(), 0)
    for name, path in product_sources():
        for layer in (layer for layer in lines if is_in(name, layer)):
            lines[layer] += len(path.read_text().splitlines())
    adapters = sum(len(path.read_text().splitlines()) for path in (ROOT / "integrations").glob("*/*.py"))
    lines["integrations"] -= adapters  # each adapter is a separate package behind a port
    assert max(lines.values()) < sum(lines.values()) / 5, lines


def test_no_class_name_occurs_twice_in_the_product():
    """Exceptions: `Command`, whose name Django requires, and nested classes."""
    trees = [ast.parse(path.read_text()) for _, path in product_sources()]
    found = Counter(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    assert {name for name, count in found.items() if count > 1} <= {"Command"}


def test_the_sync_package_has_at_most_ten_entries():
    # Ignore compiled files: a checkout of another version leaves folders that contain only these.
    files = {path.relative_to(ROOT / "sync") for path in (ROOT / "sync").rglob("*") if path.is_file()}
    entries = {file.parts[0] for file in files if "__pycache__" not in file.parts}
    assert len(entries) <= 10
