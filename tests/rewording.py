"""Scramble every message of the product, differently each time, to find code that depends on the text of a message.

With `REWORD=1` in the environment, each string literal of the product that looks like a message (`is_message`) is replaced
by a call of `reworded` when its module is compiled. So the text of a message is different each time it is formatted, as if
an upgrade had changed it. Tests of code that compares, stores or searches messages then fail. Names, numbers and codes in a
message are not changed, and neither are docstrings.

There is no list of messages, so new messages are included automatically.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

PRODUCT = ("access", "api", "conversion", "integrations", "mailboxes", "notifications", "operations", "sync", "web")
CONTENT = (
    "conversion.cleaning",
    "conversion.mime",
    "conversion.transform",
    "integrations.network.remote_words",
    "integrations.reinfer.remote_words",
)
"""Modules whose texts are not messages: content for Re:infer, phrases to search in emails, and texts of servers."""
MIGRATIONS = ".migrations."

_WORD = re.compile(r"[a-z][a-z'’-]+[.,;:!?]*")
_SIGNS = re.compile(r"[\\^$|<>=\[\]*+]|\(\?|\b(eq|ge|gt|le|lt|asc|desc)\b")
"""Signs of a regular expression, of markup, of SQL or of OData."""
_ROTATED = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_numbers = itertools.count(1)


def is_message(text: str) -> bool:
    """Return whether a text has at least two lower-case words, and none of `_SIGNS`."""
    return not _SIGNS.search(text) and sum(bool(_WORD.fullmatch(word)) for word in text.split()) >= 2


def reworded(text: str) -> str:
    """Return the text with scrambled words of the same length and a unique number. Placeholders are not changed."""
    words = [word.translate(_ROTATED) if _WORD.fullmatch(word) else word for word in text.split(" ")]
    return f"~{next(_numbers)} {' '.join(words)}"


class Said(str):
    """A message in a string literal that is no f-string. It is scrambled differently each time it is formatted."""

    __slots__ = ("original",)
    original: str

    def __new__(cls, original: str) -> Said:
        message = super().__new__(cls, reworded(original))
        message.original = original
        return message

    def __str__(self) -> str:
        return reworded(self.original)

    def __format__(self, spec: str) -> str:
        return format(reworded(self.original), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Said, (self.original,))


class _Messages(ast.NodeTransformer):
    """Replaces each literal that is a message by a call."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        self.generic_visit(node)
        if not is_message(text):
            return node
        # The call adds the unique number in front; the values in the f-string are not changed.
        first = ast.FormattedValue(_call("__reworded__", ast.Constant("it is said")), conversion=-1)
        return ast.copy_location(ast.JoinedStr([first, ast.Constant(" "), *map(_rotated, node.values)]), node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and is_message(node.value):
            return ast.copy_location(_call("__said__", node), node)
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        node.value = self.visit(node.value)
        return node  # a format specification is not a message

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant):
            return node  # a docstring
        self.generic_visit(node)
        return node

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:
        return node  # a call is not allowed in a pattern


def _rotated(part: ast.expr) -> ast.expr:
    if not (isinstance(part, ast.Constant) and isinstance(part.value, str)):
        return part
    words = [word.translate(_ROTATED) if _WORD.fullmatch(word) else word for word in part.value.split(" ")]
    return ast.copy_location(ast.Constant(" ".join(words)), part)


def _call(name: str, argument: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), [argument], [])


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> Any:
        # Do not use cached bytecode: it contains the original texts.
        path = self.get_filename(fullname)
        tree = ast.parse(self.get_data(path), path)
        tree = _Messages().visit(tree)
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(__said__=Said, __reworded__=reworded)
        super().exec_module(module)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not is_reworded(fullname):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def is_reworded(module: str) -> bool:
    is_product = module.partition(".")[0] in PRODUCT
    is_content = any(module == name or module.startswith(f"{name}.") for name in CONTENT)
    return is_product and not is_content and MIGRATIONS not in module


def install() -> None:
    """Install the import hook. Call it before any module of the product is imported."""
    early = sorted(name for name in sys.modules if is_reworded(name))
    if early:
        raise RuntimeError(f"imported too early to be reworded: {', '.join(early)}")
    sys.meta_path.insert(0, _Finder())
