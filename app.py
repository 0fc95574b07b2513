"""The application factory: settings in, a Flask application out. Nothing imports this module."""

from datetime import timedelta

import click
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import blueprints
from blueprints import commands, guards, rendering, static_files
from patchbay import __version__, logs, net, oauth, settings, signing, vault
from patchbay.errors import SettingsError
from patchbay.models import db
from patchbay.models.postgresql import enter_restricted
from patchbay.settings import Settings

LARGEST_BODY = 20 * 1024 * 1024 + guards.FORM_BYTES  # but for pictures, see `guards`


def create_app(given: Settings | None = None) -> Flask:
    """A Flask application on `given`, or on what the environment says. Raises SettingsError."""
    here = given or _settings()
    logs.configure()
    app = Flask(__name__, static_folder=None)
    _configure(app, here)
    _bind_domain(here)
    db.init_app(app)
    with app.app_context():
        enter_restricted(db.engine)
    oauth.registry.init_app(app)
    oauth.register_all()
    static_files.init_app(app, settings.ROOT / "static")
    rendering.init_app(app, is_https=here.is_https, has_sandbox=here.sandbox)
    guards.init_app(app)
    blueprints.init_app(app)
    commands.init_app(app)
    _add_worker(app, here.workers)
    if here.trusted_proxies:
        hops = here.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]  # Flask's own way
    return app


def _settings() -> Settings:
    """What the environment says; to somebody at a command line, what is wrong with it is told in one line."""
    try:
        return settings.load()
    except SettingsError as error:
        if click.get_current_context(silent=True) is None:
            raise
        raise click.ClickException(str(error)) from error


def _configure(app: Flask, here: Settings) -> None:
    app.config.update(
        SECRET_KEY=here.secret_key,
        SQLALCHEMY_DATABASE_URI=here.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(here),
        SESSION_COOKIE_NAME=here.cookie_name,
        SESSION_COOKIE_SECURE=here.is_https,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        BABEL_DEFAULT_LOCALE="en",
    )


def _add_worker(app: Flask, count: int) -> None:
    """`flask worker` is added here, because neither edge may know the other."""

    @app.cli.command("worker")
    def work() -> None:
        """Run the workers and the clock until told to stop."""
        from jobs.worker import run_workers

        run_workers(app, count)


def _engine_options(here: Settings) -> dict[str, object]:
    if here.uses_sqlite:
        return {"pool_size": here.web_threads, "max_overflow": 8}
    return {"pool_size": here.web_threads, "max_overflow": 8, "pool_pre_ping": True}


def _bind_domain(here: Settings) -> None:
    settings.use(here)
    vault.use(vault.Vault(here.vault_keys))
    signing.use(signing.Signer(here.secret_key))
    net.use(
        net.Net(
            here.sandbox_url if here.sandbox else None,
            f"Patchbay/{__version__}",
            here.allowed_addresses,
            own_hosts=(here.public_host,),
        )
    )
