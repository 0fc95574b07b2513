"""What the conformance suite is told of one provider beyond its declaration: `SAMPLE` in the provider's own test file.

The suite itself is `test_conformance`; it knows no provider by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any

from PIL import Image

from patchbay import assets
from patchbay.models import User
from patchbay.spec import Provider
from tests.stage import Sandbox

Inputs = Callable[[User, Sandbox], Mapping[str, Any]]


@dataclass(frozen=True)
class Sample:
    """Facts to try a provider with; what is left out follows from the declaration.

    Connecting: `fields` fill the connect form, `settings` what is asked after connecting (left out: placeholders;
    choices that the platform offers: the first). `elsewhere` are fields that lead to another account, where the consent
    page has one account alone. `refusable` are the scopes that the consent page lets its user refuse.

    Content: `generate` goes along with the order to fill the platform; `found` is how many records an import of a
    stream then brings, where that is not the number generated.

    Operations: `inputs` makes the values of an action that needs any, anew for each run.

    Tokens: `without_scope` is what the token control is asked for, to get one that lacks what reading needs.
    `old_refresh_works`: a refresh token that was replaced by another is not dead.

    `quick` sets constants (dotted name → value) so that the suite need not wait. `exempt` maps the name of a rule
    (`patchbay.quality`) or of a test to the reason why it cannot apply, as a sentence.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    refusable: tuple[str, ...] = ()
    generate: Mapping[str, Any] = field(default_factory=dict)
    found: Mapping[str, int] = field(default_factory=dict)
    inputs: Mapping[str, Inputs] = field(default_factory=dict)
    without_scope: Mapping[str, Any] = field(default_factory=dict)
    old_refresh_works: bool = False
    quick: Mapping[str, Any] = field(default_factory=dict)
    exempt: Mapping[str, str] = field(default_factory=dict)


def sample_of(provider: Provider) -> Sample:
    """The `SAMPLE` of the provider's test file; an empty one where there is no such file, or none in it."""
    name = f"tests.providers.test_{provider.key.replace('-', '_')}"
    found: Sample = getattr(import_module(name), "SAMPLE", Sample()) if find_spec(name) else Sample()
    return found


def mockup_of(user: User, colour: str = "teal") -> str:
    """The address of a small picture of the user's own, as `mockupUrls` takes it."""
    buffer = BytesIO()
    Image.new("RGB", (40, 30), colour).save(buffer, "PNG")
    return assets.link(assets.upload(user.id, buffer.getvalue(), f"{colour}.png"))
