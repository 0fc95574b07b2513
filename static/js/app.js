// What markup cannot do. All works without it.
{
  const one = document.querySelector.bind(document), on = document.addEventListener.bind(document);
  const modal = one("#modal"), body = one("#modal-body"), toasts = one("#toasts"), alerts = one("#alerts");
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  document.cookie = `tz=${timeZone};path=/;max-age=31536000;samesite=lax`;

  // htmx 4.0.1 swallows clicks that are to open a link in a tab or window of its own.
  const aside = (event) => event.ctrlKey || event.metaKey;
  on("click", (event) => (aside(event) || event.shiftKey) && event.stopPropagation(), true);

  // What arrives in the dialog opens it. Closing gives focus back, even where the opener was replaced.
  let opener = "";
  on("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.target !== body || !body.childElementCount || modal.open) return;
    opener = ctx.sourceElement.id;
    modal.showModal();
    modal.append(toasts, alerts); // outside an open dialog nothing is seen or heard
    (one("#modal [autofocus]") || one("#modal-title"))?.focus();
  });
  modal.addEventListener("close", () => {
    body.replaceChildren();
    modal.after(toasts, alerts);
    const key = opener.replace(/^[a-z]+-/, "");
    [opener, `connect-${key}`, `name-${key}`, "main"].map((id) => document.getElementById(id)).find(Boolean).focus();
  });
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

  // Toasts go after 8 seconds unless pointed at.
  const say = (textContent) => toasts.append(Object.assign(document.createElement("div"), { className: "toast", textContent }));
  setInterval(() => {
    for (const toast of toasts.children)
      if (!toast.matches(":hover, :focus-within") && (toast.age = (toast.age || 0) + 1) > 8) toast.remove();
  }, 1000);

  // No answer at all, or one that a proxy made.
  const lost = () => alerts.replaceChildren(one("#network-error").content.cloneNode(true));
  on("htmx:error", ({ detail: { ctx } }) => ctx && !ctx.response && lost());
  on("htmx:response:error", ({ detail: { ctx } }) => ctx.response.status > 501 && !ctx.text.includes("hx-partial") && lost());

  on("keydown", (event) => {
    const search = one("[aria-keyshortcuts='/']");
    if (event.key !== "/" || aside(event) || event.altKey || modal.open || !search || event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    search.focus();
  });
}
