"""Frames of a file at Figma: listed, drawn, kept as designs here, or handed on as addresses of pictures there."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from patchbay.errors import N_, NotFoundThere, PlatformError
from patchbay.providers.figma.files import API
from patchbay.spec import Api, Request

EXPORTED = {"FRAME", "COMPONENT", "COMPONENT_SET", "INSTANCE", "GROUP", "SECTION"}
LONGEST_NAME = 200


class Box(msgspec.Struct):
    width: float
    height: float


class Node(msgspec.Struct, rename="camel"):
    id: str
    name: str
    type: str
    visible: bool = True
    children: list["Node"] = []
    absolute_bounding_box: Box | None = None


class File(msgspec.Struct):
    name: str
    document: Node


class Root(msgspec.Struct):
    document: Node


class Nodes(msgspec.Struct):
    nodes: dict[str, Root | None]


class Images(msgspec.Struct):
    images: dict[str, str | None]


def list_frames(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """What can be exported of a file: the top layers of its pages, and the frames in their sections.

    Asked with a depth, for a whole file may be many megabytes. The second look is made only where there are sections:
    these are the dearest calls, and some plans have six a month.
    """
    key = values["fileId"]
    file = api.read(api.send(Request("GET", f"{API}/files/{key}", params={"depth": "2"})), File)
    sections = [layer.id for page in file.document.children for layer in page.children if layer.type == "SECTION"]
    inside = nodes_of(api, key, sections) if sections else {}
    frames = []
    for page in file.document.children:
        for layer in page.children:
            section = inside.get(layer.id)
            within = section.children if section and layer.visible else []
            frames += [shown(each, page.name) for each in (layer, *within) if each.visible and each.type in EXPORTED]
    return {"frames": frames, "fileName": file.name}


def import_design(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Draw a frame as a PNG and keep it as a design; a run that is resumed keeps it once."""
    key, node_id = values["fileId"], values["nodeId"]
    name = api.remember("name", lambda: values["name"] or name_of(api, key, node_id))
    (address,) = drawn(api, key, {node_id: name}, {"format": "png", "scale": values["scale"]})
    picture = api.send(Request("GET", address, with_token=False)).body
    design = api.keep(picture, f"{name.replace('/', '–')[:LONGEST_NAME]}.png")
    return {
        "assetId": design["id"],
        "name": design["name"],
        "imageUrl": design["url"],
        "width": design["width"],
        "height": design["height"],
    }


def export_design(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Addresses at Figma, good for thirty days, of pictures of one frame or several (ids parted by commas)."""
    kind = values["format"]
    terms = {"format": kind} | ({"scale": values["scale"]} if kind in ("png", "jpg") else {})
    addresses = drawn(api, values["fileId"], dict.fromkeys(values["nodeId"].split(","), ""), terms)
    return {"imageUrl": addresses[0], "fileUrls": addresses}


def drawn(api: Api, key: str, names: Mapping[str, str], terms: Mapping[str, str]) -> list[str]:
    """Have nodes drawn; `names` are theirs by id, "" where unknown.

    Figma answers 200 with null for one that it cannot draw: raises PlatformError that names it.
    """
    request = Request("GET", f"{API}/images/{key}", params={"ids": ",".join(names), **terms})
    images = api.read(api.send(request), Images).images
    missing = [f"{name} ({node_id})" if name else node_id for node_id, name in names.items() if not images.get(node_id)]
    if missing:
        sentence = N_("%(provider)s could not draw %(nodes)s: hidden, empty or deleted. Choose another frame.")
        nodes = ", ".join(missing)
        raise PlatformError(f"no picture of {nodes} in {key}", sentence=sentence, provider="Figma", nodes=nodes)
    return [str(images[node_id]) for node_id in names]


def name_of(api: Api, key: str, node_id: str) -> str:
    """The name that a frame has at Figma."""
    node = nodes_of(api, key, [node_id]).get(node_id)
    if node is None:
        sentence = N_("There is no frame %(node)s in this file of %(provider)s. It may have been deleted there.")
        raise NotFoundThere(f"no node {node_id} in {key}", sentence=sentence, provider="Figma", node=node_id)
    return node.name.strip() or node_id


def nodes_of(api: Api, key: str, ids: list[str]) -> dict[str, Node | None]:
    """Nodes by id, with what lies right below them; None for one that does not exist."""
    request = Request("GET", f"{API}/files/{key}/nodes", params={"ids": ",".join(ids), "depth": "1"})
    found = api.read(api.send(request), Nodes).nodes
    return {node_id: root.document if root else None for node_id, root in found.items()}


def shown(layer: Node, page: str) -> dict[str, Any]:
    """A layer as answers show it."""
    box = layer.absolute_bounding_box or Box(0, 0)
    size = {"width": round(box.width), "height": round(box.height)}
    return {"id": layer.id, "name": layer.name, "title": f"{layer.name} · {page}", "page": page, **size}


def node_ids(text: str) -> str:
    """Node ids as the API has them: `1-2` of an address is `1:2`; of a pasted address, its node."""
    found = re.search(r"node-id=([^&#\s]+)", text)
    text = found[1].replace("%3A", ":") if found else text
    return re.sub(r"(\d)-(?=\d)", r"\1:", text.replace(" ", ""))
