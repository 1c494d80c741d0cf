"""The lists of packages in the configuration of tools are complete. The tools would silently skip an unlisted package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.tree import PACKAGES, ROOT, contract, product_packages

DOCKERFILE = (ROOT / "docker/Dockerfile").read_text()


def copied() -> dict[str, str]:
    """Return the paths that the Dockerfile copies, and the target of each."""
    pairs = {}
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        *sources, target = (word for word in line.split() if not word.startswith("--"))
        pairs |= dict.fromkeys(sources, target)
    return pairs


def test_the_image_contains_exactly_the_packages_of_the_product():
    assert product_packages() >= {"config", "sync"}
    assert {source for source in copied() if source in PACKAGES} == product_packages()
    assert all(target == source for source, target in copied().items() if (ROOT / source).is_dir())


def test_the_image_contains_the_templates_and_static_files_of_the_settings():
    templates: dict[str, Any] = settings.TEMPLATES[0]
    folders = [Path(folder) for folder in [*templates["DIRS"], *settings.STATICFILES_DIRS]]
    assert folders
    assert {str(folder.relative_to(ROOT)) for folder in folders} <= copied().keys()
    assert {"manage.py", "gunicorn.conf.py"} <= copied().keys()


def test_dockerignore_excludes_nothing_that_an_image_copies():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert not {*copied(), "requirements-dev.lock", *PACKAGES} & set(ignored)


def test_the_import_contracts_list_every_package():
    assert contract("importlinter")["root_packages"] == PACKAGES
    not_in_product = PACKAGES - product_packages()
    product_contract = contract("importlinter:contract:alone")
    assert (product_contract["source_modules"], product_contract["forbidden_modules"]) == (
        set(product_packages()),
        not_in_product,
    )
    assert contract("importlinter:contract:apart")["forbidden_modules"] == PACKAGES - {"simulators"} | {"django"}


def test_the_contracts_about_a_library_apply_to_the_whole_product():
    for library in ("exchangelib", "msal"):
        assert contract(f"importlinter:contract:{library}")["source_modules"] == product_packages()
    sources = contract("importlinter:contract:adapters")["source_modules"]
    assert {name.partition(".")[0] for name in sources} == product_packages()


def test_a_deprecation_in_any_package_is_an_error_in_tests():
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    (line,) = options["filterwarnings"]
    module = re.compile(line.split(":")[3])
    assert all(module.match(name) and module.match(f"{name}.views") for name in PACKAGES)
    assert not module.match("configparser")
