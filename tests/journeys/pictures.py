"""Designs and mockups made through the API, as journeys need them."""

import io
import random
from typing import Any

from PIL import Image

from tests.journeys.hubs import Person


def design() -> bytes:
    """A small PNG: one colour, partly see-through."""
    content = io.BytesIO()
    Image.new("RGBA", (300, 300), (38, 70, 83, 200)).save(content, "PNG")
    return content.getvalue()


def large_design() -> bytes:
    """A PNG of some 8 MB: noise, which does not compress."""
    content = io.BytesIO()
    Image.frombytes("RGB", (1700, 1600), random.Random(1).randbytes(1700 * 1600 * 3)).save(content, "PNG")  # noqa: S311 - noise, no secret
    return content.getvalue()


def uploaded_by(person: Person, content: bytes | None = None) -> dict[str, Any]:
    """A design of theirs, as the API shows it."""
    files = {"file": ("A design.png", content or design(), "image/png")}
    shown: dict[str, Any] = person.asked("POST", "/api/assets", files=files)
    return shown


def mockup_of(person: Person) -> dict[str, Any]:
    """A mockup of theirs with that design."""
    template = person.asked("GET", "/api/templates")["data"][0]
    body = {"designId": uploaded_by(person)["id"], "templateId": template["id"]}
    shown: dict[str, Any] = person.asked("POST", "/api/mockups", json=body)
    return shown
