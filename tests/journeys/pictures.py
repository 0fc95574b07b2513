"""Designs and mockups made through the API, as journeys need them."""

import io
from typing import Any

from PIL import Image

from tests.journeys.hubs import Person


def design() -> bytes:
    """A small PNG: one colour, partly see-through."""
    content = io.BytesIO()
    Image.new("RGBA", (300, 300), (38, 70, 83, 200)).save(content, "PNG")
    return content.getvalue()


def uploaded_by(person: Person) -> dict[str, Any]:
    """A design of theirs, as the API shows it."""
    shown: dict[str, Any] = person.asked("POST", "/api/assets", files={"file": ("A design.png", design(), "image/png")})
    return shown


def mockup_of(person: Person) -> dict[str, Any]:
    """A mockup of theirs with that design."""
    template = person.asked("GET", "/api/templates")["data"][0]
    body = {"designId": uploaded_by(person)["id"], "templateId": template["id"]}
    shown: dict[str, Any] = person.asked("POST", "/api/mockups", json=body)
    return shown
