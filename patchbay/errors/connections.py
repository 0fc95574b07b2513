"""What keeps a connection from being made, or from being used any longer.

What does not live here: what platforms answer to a call over a connection that is well (`platforms`).
"""

from patchbay.errors.root import N_, PatchbayError


class ConnectionFailed(PatchbayError):
    """Connecting did not finish for a reason other than a refusal."""

    code = "CONNECTION_FAILED"
    http_status = 502
    retryable = True
    title = N_("Could not connect to %(provider)s")
    sentence = N_("We could not finish connecting to %(provider)s. Nothing was changed. Please try again.")


class OAuthRefused(PatchbayError):
    """The platform refused the authorisation."""

    code = "OAUTH_ERROR"
    http_status = 502
    retryable = True
    title = N_("%(provider)s did not authorise Patchbay")
    sentence = N_(
        "Authorization failed. Check that your %(provider)s account may grant the permissions listed, then try again."
    )


class SetupWrong(OAuthRefused):
    """Client id, secret or redirect URI are not what the platform has on file."""

    retryable = False
    sentence = N_("%(provider)s is not set up correctly here. Ask your administrator.")


class GrantExpired(PatchbayError):
    """The grant has ended at the platform: no token can be had without its owner."""

    code = "TOKEN_EXPIRED"
    http_status = 409
    title = N_("Your connection to %(provider)s has expired")
    sentence = N_("Syncing is paused. Reconnect to continue; your settings are kept.")


class CredentialsRefused(PatchbayError):
    """The platform refuses a token or key that ought to work."""

    code = "INVALID_CREDENTIALS"
    http_status = 409
    title = N_("%(provider)s rejected the saved credentials")
    sentence = N_("They may have been changed or revoked in %(provider)s. Reconnect to fix this.")
