// Small additions to the HTML pages, which also work without JavaScript: the server learns the time zone of the browser, a
// form is submitted only once, the focus moves to the errors of a form, messages can be closed, <details> stay open after a
// refresh, and a page shows that its last refresh failed.
(() => {
  "use strict";

  const SENDING = "data-sending";

  // Send the time zone of the browser to the server, which shows times in this zone: see access/time_zone.py.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  if (zone) document.cookie = `time_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;

  // Do not submit a form twice. htmx ensures this for its own forms (hx-sync).
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

  // After the back button, the browser can show this page from its cache, with forms still marked as sent. Remove the marks.
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

  // A refresh replaces the live part, and its <details> elements are closed then. Open those again that were open before.
  let open = [];
  document.addEventListener("htmx:beforeSwap", () => {
    open = [...document.querySelectorAll("#live details[open][id]")].map((details) => details.id);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  });

  // Show that a request failed, because the page then shows an old state.
  const refreshed = (yes) => document.documentElement.toggleAttribute("data-stale", !yes);
  const failed = (event) => {
    const probe = event.detail.elt.closest(".probe");
    if (!probe) {
      refreshed(false);
      return;
    }
    const place = probe.querySelector(".finding-place");
    place.textContent = "The request failed. The log of the web process contains the reason.";
  };
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:afterOnLoad", (event) => event.detail.successful !== false && refreshed(true));
})();
