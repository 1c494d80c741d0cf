// The little that pages cannot say in HTML: a form sent twice is sent once, a failed one takes the keyboard to what is
// wrong, messages can be closed, and a page that could not refresh itself says so. Everything works without it.
(() => {
  "use strict";

  const SENDING = "data-sending";

  // Times are shown in the zone of whoever looks: see access/time_zone.py.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  if (zone) document.cookie = `time_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;

  // Forms that htmx sends keep themselves from being sent twice; these are the others.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.hasAttribute(SENDING)) {
      event.preventDefault();
      return;
    }
    form.setAttribute(SENDING, "");
    form.setAttribute("aria-busy", "true");
  });

  // Back from the next page, the browser shows this one as it was left.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll(`form[${SENDING}]`)) {
      form.removeAttribute(SENDING);
      form.removeAttribute("aria-busy");
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector("[role=alert][tabindex]")?.focus();
  });

  document.addEventListener("click", (event) => {
    event.target.closest("[data-close]")?.parentElement.remove();
  });

  // A live part closes with every refresh what somebody had opened in it: open it again.
  let open = [];
  document.addEventListener("htmx:beforeSwap", () => {
    open = [...document.querySelectorAll("#live details[open][id]")].map((details) => details.id);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  });

  // What could not be asked says so, instead of showing what was as if it were, or nothing at all.
  const refreshed = (yes) => document.documentElement.toggleAttribute("data-stale", !yes);
  const failed = (event) => {
    const probe = event.detail.elt.closest(".probe");
    if (!probe) {
      refreshed(false);
      return;
    }
    const place = probe.querySelector(".finding-place");
    place.textContent = "This could not be asked. The log of the web process says why.";
  };
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:afterOnLoad", (event) => event.detail.successful !== false && refreshed(true));
})();
