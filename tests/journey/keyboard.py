"""Use a page only with the keyboard: find out which elements the Tab key reaches, and whether the focus is visible."""

from __future__ import annotations

from typing import Any

MOST = 250
"""Maximum number of times that Tab is pressed on a page. Every page has fewer controls."""

# Start at the top of the page. Stop the timers, so that no refresh replaces the element with the focus.
BEGIN = """() => {
  for (let timer = setTimeout(() => {}); timer > 0; timer--) clearTimeout(timer);
  document.activeElement?.blur();
}"""

# The element with the focus. `drawn`: the element, or the `.card-choice` around it, has an outline. `seen`: the element is in
# the visible part of the page.
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

# Controls that Tab did not reach. Radio buttons are left out: Tab reaches one of a group, and the arrow
# keys reach the others.
MISSED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter(element => element.checkVisibility({visibilityProperty: true}) && !element.disabled && element.type !== "hidden"
    && element.type !== "radio" && !element.dataset.reached)
  .map(element => element.outerHTML.slice(0, 160))"""


def tabbed_through(page: Any) -> tuple[list[str], list[str]]:
    """Return the controls that Tab does not reach on this page, and those on which the focus is not visible."""
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
    """Press Tab until the element with the focus has a name that starts with these words."""
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
