"""The application with 51 providers more, for the benches of the catalogue page. As a program: fills a database for it.

The providers are files that live as long as the bench, in the folder that BENCH_PROVIDERS names.
"""

import os
from datetime import timedelta
from pathlib import Path

from flask import Flask, Response, g, has_request_context
from sqlalchemy import Engine, event

import app
from bench.installation import connection
from patchbay import accounts, catalog, clock, providers, tenancy
from patchbay.models import Connection, Run, RunStatus, Trigger, new_id, transaction
from patchbay.spec import Status

CARDS, CONNECTIONS, RUNS_EACH = 60, 50, 8
QUERIES = "X-Bench-Queries"
_PROVIDER = """from dataclasses import replace
from patchbay.providers.shopify import PROVIDER as SHOPIFY
PROVIDER = replace(SHOPIFY, key="bench-{number}", name="Platform {number}", logo="{logo}")
"""
_ENDINGS = (RunStatus.SUCCEEDED,) * 6 + (RunStatus.FAILED, RunStatus.WAITING)


def create_app() -> Flask:
    """The real application; every answer says how many queries it took."""
    providers.__path__.append(os.environ["BENCH_PROVIDERS"])
    made = app.create_app()
    event.listen(Engine, "before_cursor_execute", _count)
    made.after_request(_tell)
    return made


def write_providers(folder: Path, logos: list[str]) -> None:
    """As many provider files as make sixty cards with those that are there."""
    for number in range(CARDS - len(providers.all())):
        text = _PROVIDER.format(number=number, logo=logos[number % len(logos)])
        (folder / f"bench_{number}.py").write_text(text, encoding="utf-8")


def fill() -> None:
    """The catalogue's rows; the demo user's connections, each with some runs."""
    with create_app().app_context(), tenancy.everyone():
        catalog.publish()
        user_id = accounts.demo_user().id
        keys = [provider.key for provider in providers.all() if provider.status is not Status.COMING_SOON]
        with transaction() as session:
            for number, key in enumerate(keys[:CONNECTIONS]):
                linked = connection(user_id, key, clock.now(), settings={"shop": f"shop-{number}.myshopify.com"})
                session.add(linked)
                session.flush()
                session.add_all(_run(linked, age, _ENDINGS[number % len(_ENDINGS)]) for age in range(RUNS_EACH))


def _run(linked: Connection, age: int, newest: RunStatus) -> Run:
    asked_at = clock.now() - timedelta(hours=age)
    status = newest if age == 0 else RunStatus.SUCCEEDED
    return Run(
        id=new_id("run"),
        user_id=linked.user_id,
        connection_id=linked.id,
        integration_id=linked.integration_id,
        operation="import_products",
        stream="products",
        trigger=Trigger.PAGE,
        status=status,
        open_key=linked.id if status is RunStatus.WAITING else None,
        resumes_at=clock.now() + timedelta(days=1) if status is RunStatus.WAITING else None,
        error_kind="ProviderUnavailable" if status is RunStatus.FAILED else None,
        created_at=asked_at,
        started_at=asked_at,
        ended_at=None if status is RunStatus.WAITING else asked_at,
    )


def _count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
    if has_request_context() and not statement.startswith("BEGIN"):
        g.bench_queries = g.get("bench_queries", 0) + 1


def _tell(response: Response) -> Response:
    response.headers[QUERIES] = str(g.get("bench_queries", 0))
    return response


if __name__ == "__main__":
    fill()
