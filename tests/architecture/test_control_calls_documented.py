"""Every control call that only one platform of the sandbox has is written down for operators, and no other is."""

import re

from patchbay.settings import ROOT
from sandbox.platform import discover
from sandbox.store import Database


def test_the_sandboxs_own_calls_of_each_platform_are_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    written = re.findall(r"^\| `([A-Z]+) /_sandbox/([a-z-]+)/([^`]+)` \|", text, flags=re.MULTILINE)

    platforms = discover(Database().store).values()
    offered = [(form.method, platform.key, form.path) for platform in platforms for form in platform.forms]
    assert sorted(written) == sorted(offered)
