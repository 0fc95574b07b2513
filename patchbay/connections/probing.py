"""Finding out whether a login still works, by the cheapest question there is: whose account it is.

When that is worth asking is said by `tokens.is_in_doubt`, what a refusal comes to by `tokens` through the client.
"""

import structlog

from patchbay import client, providers
from patchbay.errors import PatchbayError
from patchbay.models import Connection, db

log = structlog.get_logger()


def probe(connection_id: str) -> None:
    """Ask with the present token. Where the platform has ended it, the client stakes the refresh token at once.

    So the owner learns within minutes what else the next run would find out, or the login is saved. No answer says
    nothing.
    """
    connection = db.session.get_one(Connection, connection_id, populate_existing=True)
    identify = providers.get(connection.integration_id).identify
    if identify is None:
        return
    try:
        identify(client.of_connection(connection))
    except PatchbayError as error:
        log.info("A login in doubt was probed.", connection_id=connection_id, outcome=error.kind)
