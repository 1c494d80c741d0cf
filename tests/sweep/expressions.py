"""Find every regular expression of the product.

This module uses two ways, because each way misses some expressions: traverse all objects that can be reached from the modules
(containers, classes, closures, caches, validators, routes), and search the source for calls that compile an expression when
a function runs.
"""

from __future__ import annotations

import ast
import gc
import importlib
import re
import sys
import types
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NOT_THE_PRODUCT = {
    "bench": "runs only on the machine of a developer",
    "demo": "starts the product against the simulators",
    "simulators": "process only requests of our own tests",
    "tests": "run only in development and CI",
}
METHODS = ("search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn")
_ANY_METHOD = ("search", "fullmatch")
"""The methods to sweep if it is not known how an expression is used, for example by a validator."""
_TAKES_EXPRESSION = {"RegexValidator", "RegexField", "re_path", "_lazy_re_compile"}


@dataclass(slots=True)
class Expression:
    """A regular expression, all names under which it was found, and the methods that are called on it."""

    pattern: re.Pattern[Any]
    names: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The name in the source if it has one, otherwise the place where it was found."""
        name = min(self.names, key=lambda name: ("…" in name, ":" in name, len(name), name))
        return f"{name} {self.pattern.pattern}" if "…" in name else name


@dataclass(frozen=True, slots=True)
class Unknown:
    """A call whose expression depends on values that exist only when the function runs."""

    place: str
    source: str


@dataclass(frozen=True, slots=True)
class Found:
    """The regular expressions of the product, and the calls whose expression is not known."""

    expressions: list[Expression]
    unknown: list[Unknown]


def product_packages(root: Path = ROOT) -> list[str]:
    """Return the packages in the root of the project that are not in `NOT_THE_PRODUCT`."""
    return sorted(path.parent.name for path in root.glob("*/__init__.py") if path.parent.name not in NOT_THE_PRODUCT)


def find(packages: Iterable[str], root: Path = ROOT) -> Found:
    """Import all modules of these packages in the folder `root`, and find their regular expressions."""
    files = {_module_name(path, root): path for name in packages for path in sorted((root / name).rglob("*.py"))}
    modules = {name: importlib.import_module(name) for name in files}
    trees = {name: ast.parse(path.read_text()) for name, path in files.items()}
    found: dict[tuple[Any, int], Expression] = {}

    def note(pattern: re.Pattern[Any], name: str, methods: Iterable[str] = ()) -> None:
        expression = found.setdefault((pattern.pattern, pattern.flags), Expression(pattern))
        expression.names.add(name)
        expression.methods.update(methods)

    for pattern, name in _reachable(modules):
        note(pattern, name)
    unknown = []
    for name, tree in trees.items():
        for call in _Calls(name, tree, vars(modules[name])):
            if isinstance(call, Unknown):
                unknown.append(call)
            else:
                note(*call)
    used = _uses(trees.values())
    for expression in found.values():
        for name in expression.names:
            expression.methods |= used.get(name.rpartition(".")[2], set())
        expression.methods = expression.methods or set(_ANY_METHOD)
    return Found(sorted(found.values(), key=lambda expression: expression.name), unknown)


def _module_name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


# ---- objects of the modules ----------------------------------------------------------------------------------------


def _reachable(modules: Mapping[str, types.ModuleType]) -> Iterator[tuple[re.Pattern[Any], str]]:
    """Yield every compiled expression that can be reached from these modules, with the place where it was first found.

    Modules and classes of other packages are not traversed. Of functions of other packages,
    only closures, defaults and attributes are traversed.
    """
    packages = {name.partition(".")[0] for name in modules}
    # The global names of other modules, which our functions can reach through imported functions.
    others = {id(vars(module)) for module in _all_modules() if module.__name__.partition(".")[0] not in packages}
    seen: set[int] = set()
    kept = []  # these objects must not be freed, because another object could then get the same id
    todo: deque[tuple[Any, str]] = deque(
        (value, f"{module.__name__}.{name}")
        for module in modules.values()
        for name, value in list(vars(module).items())
    )
    while todo:
        thing, name = todo.popleft()
        expression = _expression_of(thing)
        if expression is not None:
            yield expression, name
        if id(thing) in seen or id(thing) in others or _is_foreign(thing, packages):
            continue
        seen.add(id(thing))
        inner = list(_inside(thing, name, packages))
        kept.append(inner)
        todo.extend(inner)


def _all_modules() -> list[types.ModuleType]:
    return [module for module in list(sys.modules.values()) if isinstance(module, types.ModuleType)]  # type: ignore[redundant-expr]  # a library may put anything there


def _expression_of(thing: Any) -> re.Pattern[Any] | None:
    """Return the expression of a pattern or of a URL route; None for other objects.

    A route compiles its expression at the first use.
    """
    if isinstance(thing, re.Pattern):
        return re.compile(thing.pattern, thing.flags)  # the object can be a lazy proxy, as in Django's validators
    if type(thing).__name__ in ("RegexPattern", "RoutePattern") and type(thing).__module__ == "django.urls.resolvers":
        return re.compile(thing.regex.pattern)
    return None


def _is_foreign(thing: Any, packages: set[str]) -> bool:
    if isinstance(thing, types.ModuleType):
        return True  # `_reachable` traverses our own modules separately
    if isinstance(thing, type):
        return thing.__module__.partition(".")[0] not in packages
    return isinstance(thing, str | bytes | int | float | types.CodeType | types.FrameType)


def _inside(thing: Any, name: str, packages: set[str]) -> Iterator[tuple[Any, str]]:
    """Yield the objects to which an object refers, with their names."""
    if isinstance(thing, type):
        for key, value in list(vars(thing).items()):
            yield value, f"{name}.{key}"
            if key == "regex" and isinstance(value, str):
                yield re.compile(value), f"{name}.{key}"  # a converter of Django's routes
    elif isinstance(thing, types.FunctionType) and thing.__module__.partition(".")[0] not in packages:
        yield from ((value, f"{name}()") for value in (thing.__closure__, thing.__defaults__, thing.__kwdefaults__))
        yield vars(thing), f"{name}()"
    elif isinstance(thing, dict):
        for key, value in list(thing.items()):
            yield key, f"{name}[…]"
            yield value, f"{name}[{key!r}]" if isinstance(key, str) else f"{name}[…]"
    else:
        yield from ((value, _deeper(name)) for value in gc.get_referents(thing))


def _deeper(name: str) -> str:
    return name if name.endswith("…") else f"{name}…"


# ---- calls in the source -----------------------------------------------------------------------------------------


class _Calls:
    """The expressions of the calls in a module, as `(pattern, name, methods)` or `Unknown`."""

    def __init__(self, module: str, tree: ast.AST, names: dict[str, Any]) -> None:
        self.module, self.tree, self.names = module, tree, names
        self.aliases, self.functions = _imports_of_re(tree)

    def __iter__(self) -> Iterator[tuple[re.Pattern[Any], str, tuple[str, ...]] | Unknown]:
        for call in ast.walk(self.tree):
            if isinstance(call, ast.Call) and (method := self._method(call.func)) and (given := _given(call)):
                place = f"{self.module}:{call.lineno}"
                try:
                    pattern = self._compiled(given, call)
                except Exception:  # the argument contains local names, or is not a regular expression
                    yield Unknown(place, ast.unparse(call))
                else:
                    yield pattern, place, (method,) if method in METHODS else ()

    def _method(self, function: ast.expr) -> str:
        """Return the name of a function that takes an expression; empty for other functions."""
        if isinstance(function, ast.Attribute):
            if isinstance(function.value, ast.Name) and function.value.id in self.aliases:
                return function.attr if function.attr in (*METHODS, "compile") else ""
            return function.attr if function.attr in _TAKES_EXPRESSION else ""
        if isinstance(function, ast.Name):
            return self.functions.get(function.id, function.id if function.id in _TAKES_EXPRESSION else "")
        return ""

    def _compiled(self, given: ast.expr, call: ast.Call) -> re.Pattern[Any]:
        value = self._value(given)
        if isinstance(value, re.Pattern):
            return value
        flags = next((keyword.value for keyword in call.keywords if keyword.arg == "flags"), None)
        if flags is None and _last_name(call.func) == "compile" and len(call.args) > 1:
            flags = call.args[1]
        return re.compile(value, 0 if flags is None else self._value(flags))

    def _value(self, expression: ast.expr) -> Any:
        """Evaluate an argument that contains only global names. It is our own source code, so `eval` is safe."""
        return eval(compile(ast.Expression(expression), self.module, "eval"), self.names)


def _given(call: ast.Call) -> ast.expr | None:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    return call.args[0] if call.args else named.get("pattern", named.get("regex"))


def _last_name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _imports_of_re(tree: ast.AST) -> tuple[set[str], dict[str, str]]:
    """Return the names under which a module imports `re`, and the functions that it imports from `re`."""
    aliases, functions = set(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {name.asname or name.name for name in node.names if name.name == "re"}
        elif isinstance(node, ast.ImportFrom) and node.module == "re":
            functions |= {
                name.asname or name.name: name.name for name in node.names if name.name in (*METHODS, "compile")
            }
    return aliases, functions


def _uses(trees: Iterable[ast.AST]) -> dict[str, set[str]]:
    """Return the methods that are called on each name, such as `sub` for `BLANKS.sub(…)`."""
    used: dict[str, set[str]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in METHODS
                and isinstance(node.value, ast.Name | ast.Attribute)
            ):
                used.setdefault(_last_name(node.value), set()).add(node.attr)
    return used
