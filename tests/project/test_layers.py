"""Every module of the product is in a layer of `.importlinter`, so no import escapes its check."""

import ast
import configparser
import re
from collections import Counter

from tests.tree import ROOT, product_packages

PACKAGES_ONLY = {"sync"}
"""Packages without code of their own, whose modules are in several layers."""


def layers() -> set[str]:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    return set(re.split(r"[\s|:]+", contracts["importlinter:contract:packages"]["layers"].strip())) | {"access"}


def modules() -> set[str]:
    paths = {path.relative_to(ROOT) for name in product_packages() for path in (ROOT / name).rglob("*.py")}
    return {".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths}


def is_in(module: str, layer: str) -> bool:
    return module == layer or module.startswith(f"{layer}.")


def test_every_module_of_the_product_is_in_a_layer():
    known = layers()
    outside = {name for name in modules() if not any(is_in(name, layer) for layer in known)}
    assert {name for name in outside if not name.startswith("sync.migrations")} == PACKAGES_ONLY


def test_no_package_holds_a_fifth_of_the_lines():
    lines = dict.fromkeys(layers(), 0)
    for path in (path for name in product_packages() for path in (ROOT / name).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for layer in (layer for layer in lines if is_in(name, layer) and ".migrations." not in name):
            lines[layer] += len(path.read_text().splitlines())
    adapters = sum(len(path.read_text().splitlines()) for path in (ROOT / "integrations").glob("*/*.py"))
    lines["integrations"] -= adapters  # its adapters are packages of their own, behind ports
    assert max(lines.values()) < sum(lines.values()) / 5, lines


def test_no_class_name_occurs_twice_in_the_product():
    """Except for names by which Django looks for a class, and classes within a class."""
    found: Counter[str] = Counter()
    for path in (path for name in product_packages() for path in (ROOT / name).rglob("*.py")):
        if "migrations" not in path.parts:
            found.update(node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef))
    assert {name for name, count in found.items() if count > 1} <= {"Command"}


def test_the_package_of_the_sync_is_seen_at_a_glance():
    assert len([path for path in (ROOT / "sync").iterdir() if path.name != "__pycache__"]) <= 10
