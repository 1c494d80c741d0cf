"""What the tree consists of, for tests that compare a list with it."""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
"""Every package at the top of the tree."""


@cache
def product_packages() -> frozenset[str]:
    """The packages that a server needs: what the settings and the addresses name, and all that these import in turn."""
    graph = grimp.build_graph(*sorted(PACKAGES), cache_dir=None)
    named = [settings.ROOT_URLCONF, settings.WSGI_APPLICATION, *settings.INSTALLED_APPS, *settings.MIDDLEWARE]
    named += _modules_of_views(get_resolver())
    waiting, found = {name.partition(".")[0] for name in named} & PACKAGES, set()
    while waiting:
        package = waiting.pop()
        found.add(package)
        modules = {package, *graph.find_descendants(package)}
        imported = {name for module in modules for name in graph.find_modules_directly_imported_by(module)}
        waiting |= {name.partition(".")[0] for name in imported} - found
    return frozenset(found)


def _modules_of_views(resolver: URLResolver) -> Iterator[str]:
    # An address names its module as a text, which no import shows.
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry.callback.__module__
        else:
            yield from _modules_of_views(entry)


def contract(name: str) -> dict[str, set[str]]:
    """A section of .importlinter: the lines of each of its values."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    return {key: set(value.split("\n")) - {""} for key, value in parser[name].items()}


def product_sources() -> Iterator[tuple[str, Path]]:
    """The dotted name and the file of every module of the product, without migrations."""
    for path in (path for name in product_packages() for path in (ROOT / name).rglob("*.py")):
        if "migrations" not in path.parts:
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path
