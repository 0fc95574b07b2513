"""The way to others and from them: the public address, redirect URIs, sandbox, mail server, and the clock."""

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy import select, text

from patchbay import clock, credentials, net, providers
from patchbay.doctor.finding import Finding, broken, doubtful, well
from patchbay.errors import NetworkError
from patchbay.models import ProviderCredential, db
from patchbay.settings import REDIRECT_PATH, Settings, is_loopback
from patchbay.settings.mail import MailTls
from patchbay.spec import OAuth2, Provider, Status

PATIENCE_S = 5.0
A_LITTLE, TOO_MUCH = timedelta(seconds=30), timedelta(minutes=5)
SIGNED_TIMES = "signatures and tokens with times in them fail: let this machine keep time (NTP)"


def public_address(here: Settings) -> Iterator[Finding]:
    """Whether PUBLIC_URL is what browsers and platforms can use."""
    if is_loopback(here.public_host):
        yield well(f"{here.public_url}: for this machine alone")
        return
    if not here.is_https:
        advice = "put a proxy with https in front and set PUBLIC_URL to it: sign-ins travel in the clear"
        yield broken(f"{here.public_url} is not https", advice)
    elif not here.is_public:
        advice = "platforms cannot reach it: webhooks and pictures that they fetch will not work"
        yield doubtful(f"{here.public_url} is no address of the public internet", advice)
    else:
        yield well(f"{here.public_url} is https and public by its name")
    if here.is_https and here.trusted_proxies == 0:
        advice = "if a proxy ends https in front, set TRUSTED_PROXIES=1, or every client has the proxy's address"
        yield doubtful("PUBLIC_URL is https, TRUSTED_PROXIES is 0", advice)


def redirects(here: Settings) -> Iterator[Finding]:
    """Redirect URIs that live apps were given by hand: they must come back to this Patchbay."""
    strange = []
    for provider in _live(here):
        app = credentials.find(provider)
        if app is not None and not app.redirect_uri.startswith(f"{here.public_url}/"):
            strange.append(f"{provider.name}: {app.redirect_uri}")
    for one in strange:
        yield doubtful(f"the redirect URI of {one} leads elsewhere", f"it should begin with {here.public_url}")
    if not strange:
        yield well(f"platforms send browsers back to {here.public_url}{REDIRECT_PATH}")


def sandbox(here: Settings) -> Iterator[Finding]:
    """Whether stand-ins answer where real platforms are meant to."""
    if here.sandbox and not (is_loopback(here.host) and is_loopback(here.public_host)):
        yield broken("the sandbox is on at an address that others reach", "set SANDBOX=off")
    elif here.sandbox:
        yield well("on: platforms without credentials are played on this machine")
    elif not _live(here):
        yield doubtful("off, and no platform has credentials", "enter them (Integrations, Configure), or set them")
    else:
        yield well("off")


def mail(here: Settings) -> Iterator[Finding]:
    """Whether the mail server answers and takes the user name; no mail is sent."""
    server = here.mail
    if server is None:
        yield well("no mail server is set up: alerts are shown in the pages alone")
        return
    kind = smtplib.SMTP_SSL if server.tls is MailTls.TLS else smtplib.SMTP
    try:
        with kind(server.host, server.port, timeout=PATIENCE_S) as smtp:
            if server.tls is MailTls.STARTTLS:
                smtp.starttls()
            if server.username:
                smtp.login(server.username, server.password)
            smtp.noop()
    except (OSError, smtplib.SMTPException) as error:
        yield broken(f"{server.host} does not take our mail ({type(error).__name__})", "see SMTP_URL and SMTP_TLS")
        return
    yield well(f"{server.host} answers and takes our mail")


def clock_right(here: Settings) -> Iterator[Finding]:
    """This machine's clock beside that of the database server and of a platform, where there are such."""
    others = {}
    if not here.uses_sqlite:
        others["the database server"] = db.session.execute(text("SELECT clock_timestamp()")).scalar_one()
    live = _live(here)
    if live and (told := _told_by(live[0])) is not None:
        others[live[0].name] = told
    if not others:
        yield well(f"{clock.iso(clock.now())}; nobody else was asked")
    for name, moment in others.items():
        yield _compared(name, clock.now() - moment)


def _compared(name: str, ahead: timedelta) -> Finding:
    if abs(ahead) < A_LITTLE:
        return well(f"goes with that of {name}")
    said = f"{abs(ahead).total_seconds():.0f} s {'ahead of' if ahead > timedelta(0) else 'behind'} that of {name}"
    return broken(said, SIGNED_TIMES) if abs(ahead) >= TOO_MUCH else doubtful(said, SIGNED_TIMES)


def _told_by(provider: Provider) -> datetime | None:
    """What time it is at the platform, by the Date of an answer (RFC 9110, 6.6.1); None without one."""
    if not isinstance(provider.auth, OAuth2) or "{" in provider.auth.token_url:
        return None
    try:
        reply = net.current().send(net.Outgoing("HEAD", provider.auth.token_url))
        told = parsedate_to_datetime(next(text for name, text in reply.headers.items() if name.lower() == "date"))
    except (NetworkError, ValueError, StopIteration):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _live(here: Settings) -> list[Provider]:
    """Providers whose app was set by the operator or an administrator."""
    entered = set(db.session.scalars(select(ProviderCredential.id)))
    return [
        one
        for one in providers.all()
        if one.status is Status.ACTIVE and (one.key in entered or one.credentials_name.lower() in here.live)
    ]
