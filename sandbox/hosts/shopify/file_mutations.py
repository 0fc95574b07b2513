"""What changes through GraphQL about files: uploads announced, pictures replaced, moved between products.

Products are in `mutations`, the storage behind uploads in `staging`.
"""

import re
from typing import Any

from sandbox.hosts.shopify.call import Call, Info, Resolver, find_media, find_product, need
from sandbox.hosts.shopify.ids import now_text
from sandbox.hosts.shopify.media import PENDING, SourceRefused, check_source
from sandbox.hosts.shopify.staging import MOST_BYTES
from sandbox.store import Document


class InputRefused(Exception):
    """A user error: where in the arguments, and Shopify's sentence; `code` where the payload has one."""

    def __init__(self, place: list[str], text: str, code: str | None = None) -> None:
        super().__init__(text)
        self.place, self.text, self.code = place, text, code

    def user_error(self) -> Document:
        """The error as the payload lists it."""
        return {"field": self.place, "message": self.text, "code": self.code}


def take_out(document: Document, entry: Document) -> None:
    """Remove a picture from a product and from the variants that show it."""
    document["media"].remove(entry)
    for variant in document["variants"]:
        if variant["mediaNumber"] == entry["number"]:
            variant["mediaNumber"] = None


def _file_update(_source: Any, info: Info, files: list[Document]) -> Document:
    need(info, "write_files", "write_products")
    call: Call = info.context
    try:
        with call.catalogue.transaction():
            return {"files": [_update_file(call, index, each) for index, each in enumerate(files)], "userErrors": []}
    except InputRefused as refusal:
        return {"files": None, "userErrors": [refusal.user_error()]}


def _update_file(call: Call, index: int, wanted: Document) -> Document:
    place = ["files", str(index)]
    found = find_media(call, wanted["id"])
    if found is None:
        text = f"File id {wanted['id']} does not exist."
        raise InputRefused([*place, "id"], text, "FILE_DOES_NOT_EXIST")
    document, entry = found
    if entry["status"] in PENDING:
        raise InputRefused(place, "Non-ready files cannot be updated.", "NON_READY_STATE")
    if wanted.get("originalSource"):
        try:
            check_source(index, {"mediaContentType": "IMAGE", "originalSource": wanted["originalSource"]})
        except SourceRefused as refusal:
            raise InputRefused([*place, "originalSource"], refusal.text, "INVALID_IMAGE_SOURCE_URL") from refusal
        entry |= {"source": wanted["originalSource"], "status": "UPLOADED", "polls": 0, "errors": []}
    if "alt" in wanted:
        entry["alt"] = wanted["alt"]
    entry["updatedAt"] = now_text()
    for target in wanted.get("referencesToRemove") or []:
        if target != document["id"]:
            text = "The file is not referenced by this target."
            raise InputRefused([*place, "referencesToRemove"], text, "REFERENCE_TARGET_DOES_NOT_EXIST")
        take_out(document, entry)
    changed = call.catalogue.change(call.shop, document)
    call.looked[changed["number"]] = changed
    for target in wanted.get("referencesToAdd") or []:
        if target != document["id"]:
            _copy_to(call, target, entry, place)
    return entry


def _copy_to(call: Call, target: str, entry: Document, place: list[str]) -> None:
    """Show a picture with another product too."""
    other = find_product(call, target)
    if other is None:
        text = f"The target {target} does not exist."
        raise InputRefused([*place, "referencesToAdd"], text, "REFERENCE_TARGET_DOES_NOT_EXIST")
    if entry["number"] not in {each["number"] for each in other["media"]}:
        other["media"].append(dict(entry))
        call.catalogue.change(call.shop, other)


def _staged_uploads_create(_source: Any, info: Info, input: list[Document]) -> Document:  # noqa: A002 - Shopify's name
    need(info, "write_products", "write_files")
    call: Call = info.context
    targets: list[Document] = []
    errors: list[Document] = []
    for index, wanted in enumerate(input):
        fault = _upload_fault(wanted)
        if fault:
            errors.append({"field": ["input", str(index), fault[0]], "message": fault[1]})
            targets.append({"url": None, "resourceUrl": None, "parameters": []})
        else:
            targets.append(call.staging.announce(call.shop, wanted))
    return {"stagedTargets": targets, "userErrors": errors}


def _upload_fault(wanted: Document) -> tuple[str, str] | None:
    size = wanted.get("fileSize")
    if not wanted["filename"].strip():
        return "filename", "Filename can't be blank"
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", wanted["mimeType"]):
        return "mimeType", f"({wanted['mimeType']}) is not a recognized format"
    if wanted["resource"] not in {"IMAGE", "PRODUCT_IMAGE"}:
        return "resource", "The sandbox takes pictures of products only"
    if not wanted["mimeType"].startswith("image/"):
        return "mimeType", f"({wanted['mimeType']}) is not a supported image format"
    if size is not None and int(size) > MOST_BYTES:
        return "fileSize", "File size is too large"
    return None


FILE_MUTATIONS: dict[str, Resolver] = {
    "fileUpdate": _file_update,
    "stagedUploadsCreate": _staged_uploads_create,
}
