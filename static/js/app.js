// What markup cannot do. All works without it.
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const on = (event, act, root = document) => root.addEventListener(event, act);
  const modal = one("#modal"), body = one("#modal-body"), toasts = one("#toasts"), alerts = one("#alerts");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `tz=${zone};path=/;max-age=31536000;samesite=lax`;

  // What arrives in the dialog opens it. Closing gives focus back, even when the opener was replaced meanwhile.
  let opener = "";
  on("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.target !== body || !body.childElementCount || modal.open) return;
    opener = ctx.sourceElement.id;
    modal.showModal();
    modal.append(toasts, alerts); // what lies outside an open dialog can be neither seen nor heard
    (one("[autofocus]", body) || one("#modal-title", body))?.focus();
  });
  on("close", () => {
    body.replaceChildren();
    modal.after(toasts, alerts);
    const key = opener.replace(/^[a-z]+-/, "");
    [opener, `connect-${key}`, `name-${key}`, "main"].map((id) => document.getElementById(id)).find(Boolean).focus();
  }, modal);
  on("modal:close", () => modal.close());

  on("click", (event) => {
    const hit = (selector) => event.target.closest(selector);
    const typed = [...body.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue);
    if (modal.open && (hit("[data-close]") || (event.target === modal && !typed))) {
      event.preventDefault();
      modal.close();
    }
    hit("[data-dismiss]")?.closest(".toast").remove();
    const copy = hit("[data-copy]");
    if (copy) navigator.clipboard.writeText(copy.dataset.copy).then(() => say(copy.dataset.done));
    for (const menu of document.querySelectorAll(".menu[open]")) menu.open = menu.contains(event.target);
  });

  // Toasts go after 8 seconds in which nobody points at them; alerts stay until dismissed.
  const say = (text) => {
    const toast = Object.assign(document.createElement("div"), { className: "toast", textContent: text });
    toasts.append(toast);
  };
  setInterval(() => {
    for (const toast of toasts.children) {
      if (toast.matches(":hover, :focus-within")) continue;
      toast.age = (toast.age ?? 0) + 1;
      if (toast.age > 8) toast.remove();
    }
  }, 1000);

  // No answer at all, or one that a proxy made.
  const lost = () => alerts.replaceChildren(one("#network-error").content.cloneNode(true));
  on("htmx:error", ({ detail: { ctx } }) => ctx && !ctx.response && lost());
  on("htmx:response:error", ({ detail: { ctx } }) => ctx.response.status > 501 && !ctx.text.includes("hx-partial") && lost());

  on("keydown", (event) => {
    const search = one("[aria-keyshortcuts='/']");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || modal.open || !search) return;
    if (event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    search.focus();
  });
})();
