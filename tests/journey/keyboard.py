"""A keyboard, and nothing else: what Tab reaches, and whether one sees where it is."""

from __future__ import annotations

from typing import Any

MOST = 250
"""Tab stops of a page. More are a fault of the test."""

# At the top, and without timers: nothing may be put in place of what was reached.
BEGIN = """() => {
  for (let timer = setTimeout(() => {}); timer > 0; timer--) clearTimeout(timer);
  document.activeElement?.blur();
}"""

# What has the focus, and whether that shows: by an outline of its own or of the card around a choice.
FOCUSED = """() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return null;
  focused.dataset.reached = "yes";
  const drawn = element => {
    const style = getComputedStyle(element);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  };
  const around = focused.closest(".card-choice");
  const box = focused.getBoundingClientRect();
  return {
    html: focused.outerHTML.slice(0, 160),
    drawn: drawn(focused) || Boolean(around && drawn(around)),
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""

# What can be used and was not reached. Of choices that exclude each other Tab reaches one, and arrows the rest.
MISSED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter(element => element.checkVisibility({visibilityProperty: true}) && !element.disabled && element.type !== "hidden"
    && element.type !== "radio" && !element.dataset.reached)
  .map(element => element.outerHTML.slice(0, 160))"""


def tabbed_through(page: Any) -> tuple[list[str], list[str]]:
    """What Tab does not reach on this page, and what it reaches without showing it."""
    page.evaluate(BEGIN)
    unseen, before = [], None
    for _ in range(MOST):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        if not (focused["drawn"] and focused["seen"]):
            unseen.append(focused["html"])
        if focused["html"] == before and not page.evaluate(MISSED):
            break
        before = focused["html"]
    return page.evaluate(MISSED), unseen


def tab_to(page: Any, words: str) -> None:
    """Press Tab until what has the focus bears these words."""
    named = """() => {
      const focused = document.activeElement;
      const labels = [...(focused.labels ?? [])].map(label => label.innerText);
      return [focused.innerText, focused.getAttribute("aria-label"), ...labels]
        .filter(Boolean).map(text => text.trim().replace(/\\s+/g, " "))
    }"""
    seen = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        names = page.evaluate(named)
        seen += names
        if any(name.startswith(words) for name in names):
            return
    raise AssertionError(f"Tab does not reach {words!r}, but {sorted(set(seen))}")
