"""List the packages and modules of the source tree, for tests that compare other lists with it."""

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
"""Every package at the top of the tree, except the tests."""


@cache
def product_packages() -> frozenset[str]:
    """Return the packages that a server needs: packages in settings and URL patterns, and the packages that these import."""
    graph = grimp.build_graph(*sorted(PACKAGES), cache_dir=None)
    modules_in_settings = [
        settings.ROOT_URLCONF,
        settings.WSGI_APPLICATION,
        *settings.INSTALLED_APPS,
        *settings.MIDDLEWARE,
    ]
    modules_in_settings += _modules_of_views(get_resolver())
    waiting, found = {name.partition(".")[0] for name in modules_in_settings} & PACKAGES, set()
    while waiting:
        package = waiting.pop()
        found.add(package)
        modules = {package, *graph.find_descendants(package)}
        imported = {name for module in modules for name in graph.find_modules_directly_imported_by(module)}
        waiting |= {name.partition(".")[0] for name in imported} - found
    return frozenset(found)


def _modules_of_views(resolver: URLResolver) -> Iterator[str]:
    # A URL pattern may name its view as a string, which the import graph does not contain.
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry.callback.__module__
        else:
            yield from _modules_of_views(entry)


def contract(name: str) -> dict[str, set[str]]:
    """Return a section of .importlinter: for each key, the set of lines of its value."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    return {key: set(value.split("\n")) - {""} for key, value in parser[name].items()}


def product_sources() -> Iterator[tuple[str, Path]]:
    """Yield the dotted name and the file of every module of the product, without migrations."""
    for path in (path for name in product_packages() for path in (ROOT / name).rglob("*.py")):
        if "migrations" not in path.parts:
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path
