// What markup cannot do: the dialog, toasts, a lost network, copying, one key. Everything works without it.
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const modal = one("#modal"), body = one("#modal-body"), toasts = one("#toasts"), alerts = one("#alerts");
  let opener = "";

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `tz=${zone};path=/;max-age=31536000;samesite=lax`;

  // A fragment that arrived in the dialog opens it; closing it gives focus back, even when the opener was replaced.
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.target !== body || !body.childElementCount || modal.open) return;
    opener = ctx.sourceElement.id;
    modal.showModal();
    (one("[autofocus]", body) || one("#modal-title", body))?.focus();
  });
  modal.addEventListener("close", () => {
    body.replaceChildren();
    const card = opener.replace(/^[a-z]+-/, "");
    const next = [`#${opener}`, `#connect-${card}`, `#name-${card}`, "#main"];
    if (opener) one(next.find((selector) => one(selector)))?.focus();
  });
  modal.addEventListener("click", (event) => {
    const typed = [...body.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue);
    if (event.target === modal && !typed) modal.close();
  });
  document.addEventListener("modal:close", () => modal.close());

  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest(selector);
    if (hit("[data-close]") && modal.open) {
      event.preventDefault();
      modal.close();
    }
    hit("[data-dismiss]")?.closest(".toast").remove();
    const copy = hit("[data-copy]");
    if (copy) navigator.clipboard.writeText(copy.dataset.copy).then(() => say(copy.dataset.done));
    for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // Errors stay until dismissed; others go after 8 seconds in which nobody points at them.
  const say = (text) => {
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.append(text);
    toasts.append(toast);
  };
  new MutationObserver((changes) => {
    for (const toast of changes.flatMap((change) => [...change.addedNodes])) {
      if (!toast.classList?.contains("toast")) continue;
      let left = 8;
      const timer = setInterval(() => {
        if (toast.matches(":hover, :focus-within") || --left > 0) return;
        clearInterval(timer);
        toast.remove();
      }, 1000);
    }
  }).observe(toasts, { childList: true });

  // No answer at all, or one that a proxy made: say so once.
  const unreachable = () => alerts.replaceChildren(one("#network-error").content.cloneNode(true));
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => ctx && !ctx.response && unreachable());
  document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
    if (ctx.response.status > 501 && !ctx.text.includes("<hx-partial")) unreachable();
  });

  document.addEventListener("keydown", (event) => {
    const search = one("[aria-keyshortcuts='/']");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || modal.open || !search) return;
    if (event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    search.focus();
  });
})();
