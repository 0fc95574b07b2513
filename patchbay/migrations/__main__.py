"""`python -m patchbay.migrations [--check]`: migrate at start-up, or check that there is one newest step."""

import sys

from patchbay import migrations
from patchbay.errors import SettingsError


def main() -> int:
    """Exit code 0, or 1 with one line on standard error."""
    try:
        if "--check" in sys.argv[1:]:
            migrations.check_single_head()
        else:
            _migrate()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the one line that the launcher passes on
        return 1
    return 0


def _migrate() -> None:
    from app import create_app
    from patchbay import catalog, settings

    here = settings.load()
    migrations.migrate(here)
    with create_app(here).app_context():
        catalog.publish()


sys.exit(main())
