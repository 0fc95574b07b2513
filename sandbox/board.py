"""The page at `/_sandbox/`: what each platform holds and received, and every control call as a form.

A form names a control call; the page makes that very call, it can do nothing that the calls cannot.
"""

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from sandbox.faults import KINDS
from sandbox.pages import html_page
from sandbox.platform import ControlForm, Platform

if TYPE_CHECKING:
    from sandbox.app import Sandbox

_SHOWN_REQUESTS = 10
_LIFETIMES = ControlForm("Set lifetimes of tokens", "POST", "lifetimes", ("accessSeconds", "refreshSeconds", "oneUse"))
_NUMBERS = frozenset(
    {"accessSeconds", "refreshSeconds", "oneUse", "count", "seed", "times", "rate", "seconds", "limit"}
)


def page(sandbox: "Sandbox", outcome: Response | None = None) -> Response:
    """The page; `outcome` is the answer to the form that was just sent, whose status the page then has."""
    shown = [
        {
            "platform": platform,
            "totals": platform.collections(None),
            "faults": sandbox.faults[platform.key].listed(),
            "requests": sandbox.ledgers[platform.key].latest(_SHOWN_REQUESTS),
            "forms": _forms(platform),
        }
        for platform in sandbox.platforms.values()
    ]
    failed = outcome is not None and outcome.status_code >= 400
    return html_page(
        "board.html",
        status=outcome.status_code if outcome is not None and failed else 200,
        shown=shown,
        board_key=sandbox.board_key,
        fault_kinds=KINDS,
        has_failed=failed,
        outcome=_readable(outcome) if outcome is not None else None,
    )


def asked_call(sandbox: "Sandbox", request: Request) -> Request | None:
    """The control call that a posted form stands for; None when there is no such form."""
    platform = sandbox.platforms.get(request.form.get("platform", ""))
    if platform is None:
        return None
    form = next((each for each in _forms(platform) if each.title == request.form.get("form")), None)
    if form is None:
        return None
    values = {name: request.form[name].strip() for name in form.fields if request.form.get(name, "").strip()}
    path = form.path
    for name in [name for name in values if f"{{{name}}}" in path]:
        path = path.replace(f"{{{name}}}", quote(values.pop(name), safe=""))
    address = path if path.startswith("/") else f"/_sandbox/{platform.key}/{path}"
    return Request(_environment(form, address, values, request))


def _environment(form: ControlForm, address: str, values: dict[str, str], request: Request) -> dict[str, object]:
    upload = request.files.get("file")
    if form.csv:
        body, media_type, query = (upload.read() if upload else b""), "text/csv", urlencode(values)
    else:
        wanted = {name: _typed(name, value) for name, value in values.items()}
        body, media_type, query = json.dumps(wanted).encode(), "application/json", ""
    builder = EnvironBuilder(address, method=form.method, data=body, content_type=media_type, query_string=query)
    environ: dict[str, object] = builder.get_environ()
    environ["HTTP_HOST"] = request.host
    return environ


def _forms(platform: Platform) -> tuple[ControlForm, ...]:
    return (
        ControlForm("Add content", "POST", "generate", platform.generate_fields),
        ControlForm("Make a token", "POST", "token", platform.token_fields),
        ControlForm("Order a fault", "POST", "faults", ("kind", "times", "rate", "seconds", "match")),
        ControlForm("Delete a fault", "DELETE", "faults/{fault}", ("fault",)),
        ControlForm("Delete all faults", "DELETE", "faults"),
        *([_LIFETIMES] if platform.has_lifetimes else []),
        *platform.forms,
        ControlForm("Back to the first state", "POST", "/_sandbox/reset", ("provider",)),
    )


def _typed(name: str, value: str) -> object:
    if name not in _NUMBERS:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _readable(outcome: Response) -> str:
    text = outcome.get_data(as_text=True)
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text or "Done"
