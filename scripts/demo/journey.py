"""The demo's journey: every platform connected, a frame and a catalogue brought in, mockups sent everywhere, all ended.

How a hub is spoken to is in `hub`.
"""

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from scripts.demo.hub import Hub, StepFailed

BLANK = "\r" + " " * 70 + "\r"  # wipes the progress line
FIGMA_FILE = "Harbour collection"
FIGMA_LINKS = (
    "https://www.figma.com/design/fKsq1Harbour8RdTz3Wm0x/Harbour-collection",
    "https://www.figma.com/design/hB72oMeadowLq9VnXc41Ye/Meadow-collection",
)
NAMES = {
    "shopify": "Shopify",
    "google-drive": "Google Drive",
    "etsy": "Etsy",
    "woocommerce": "WooCommerce",
    "figma": "Figma",
    "canva": "Canva",
    "dropbox": "Dropbox",
    "instagram": "Instagram",
    "facebook": "Facebook",
}
ASKED_BEFORE = {"shopify": {"shop": "demo-shop"}, "woocommerce": {"store": "demo-store.example"}}
NO_SUCH_PRODUCT = "1"


def show_progress(text: str) -> None:
    """Say how far it is, on a line that the next one takes the place of."""
    print(f"\r  {text}", end="", flush=True)


@dataclass
class Journey:
    """The steps, what each came to, and how long it took; `kept` is what later steps need of earlier ones."""

    hub: Hub
    rows: list[tuple[str, str, float]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)

    def walk(self) -> None:
        """All of it. Raises StepFailed at the first step that fails."""
        for key, name in NAMES.items():
            self._step(f"Connect {name}", partial(self.hub.connect, key, **ASKED_BEFORE.get(key, {})))
        self._step("Say which Figma files", self._say_files)
        self._step("Choose a Facebook page", self._choose_page)
        self._step("Import the catalogue", self._import)
        self._step("Upload a design", self._upload)
        self._step("Import a Figma frame", self._import_frame)
        self._step("Make a mockup", self._make)
        self._step("Publish it to a product", self._publish)
        self._step("Save it to Drive", self._save)
        self._step("Publish it to three shops", self._publish_everywhere)
        self._step("Save it to three places", self._save_everywhere)
        self._step("Post it to two feeds", self._post)
        self._step("One failure stops no other", self._fail_in_part)
        self._step("Import from three shops", self._import_everywhere)
        for key, name in reversed(NAMES.items()):
            self._step(f"Disconnect {name}", partial(self.hub.disconnect, key))

    def print_table(self) -> None:
        """All steps with results and times."""
        width = max(len(title) for title, _, _ in self.rows)
        print(f"\n{'Step':<{width}}  {'Took':>7}  Result")
        for title, result, took_s in self.rows:
            print(f"{title:<{width}}  {took_s:6.2f}s  {result}")

    def _step(self, title: str, do: Callable[[], str]) -> None:
        """Do one step and print it."""
        begun = time.monotonic()
        print(f"… {title}", flush=True)
        result = do()
        self.rows.append((title, result, time.monotonic() - begun))
        print(f"{BLANK}✓ {title}: {result}", flush=True)

    def _say_files(self) -> str:
        self.hub.choose("figma", links="\n".join(FIGMA_LINKS))
        files = self.hub.run("figma", "list_files")["files"]
        self.kept["file"] = next(file for file in files if file["name"] == FIGMA_FILE)
        return ", ".join(file["name"] for file in files)

    def _choose_page(self) -> str:
        page = self.hub.run("facebook", "list_pages")["pages"][0]
        self.hub.choose("facebook", page=page["id"])
        return str(page["name"])

    def _import(self) -> str:
        data = self.hub.run("shopify", "import_products")
        self.kept["product"] = data["products"][0]
        return _counted("products", data["counts"])

    def _upload(self) -> str:
        files = {"file": ("Demo design.png", _design(), "image/png")}
        design = self.hub.call("POST", "/api/assets", files=files)
        return f"{design['width']} × {design['height']} pixels"

    def _import_frame(self) -> str:
        file_id = self.kept["file"]["key"]
        frame = self.hub.run("figma", "list_frames", fileId=file_id)["frames"][0]
        design = self.hub.run("figma", "import_design", fileId=file_id, nodeId=frame["id"])
        self.kept["design_id"] = design["assetId"]
        return f"{design['name']}, {design['width']} × {design['height']} pixels"

    def _make(self) -> str:
        template = self.hub.call("GET", "/api/templates")["data"][0]
        body = {"designId": self.kept["design_id"], "templateId": template["id"]}
        mockup = self.hub.call("POST", "/api/mockups", json=body)
        self.kept["pictures"] = [mockup["url"]]
        return f"{template['name']}, {mockup['sizeBytes'] // 1000} KB"

    def _publish(self) -> str:
        data = self.hub.run("shopify", "publish_mockup", **self._to_shopify()["data"])
        return str(data["publishedUrl"])

    def _save(self) -> str:
        folder = self.hub.run("google-drive", "create_folder", folderName="Patchbay demo")
        self.kept["folder_id"] = folder["folderId"]
        data = self.hub.run("google-drive", "upload_file", **self._pictures(folderId=folder["folderId"]))
        return str(data["fileUrls"][0])

    def _publish_everywhere(self) -> str:
        product = self.hub.run("woocommerce", "get_products", limit=1)["products"][0]
        self.kept["woo_product_id"] = product["id"]
        parts = [self._to_shopify(), self._to_etsy(), self._to_woocommerce(product["id"])]
        return self._all_went_well("Publish to three shops", parts)

    def _save_everywhere(self) -> str:
        folder = self.hub.run("dropbox", "create_folder", folderName="Patchbay demo")
        parts = [
            _part("google-drive", "upload_file", self._pictures(folderId=self.kept["folder_id"])),
            _part("dropbox", "upload_file", self._pictures(folderId=folder["folderId"])),
            _part("canva", "upload_asset", self._pictures()),
        ]
        return self._all_went_well("Save to three places", parts)

    def _post(self) -> str:
        values = self._pictures(caption="Made with Patchbay")
        parts = [_part(key, "publish_photo", values) for key in ("instagram", "facebook")]
        return self._all_went_well("Post to two feeds", parts)

    def _fail_in_part(self) -> str:
        """A part that cannot go well, between two that can."""
        parts = [
            self._to_shopify(),
            self._to_woocommerce(NO_SUCH_PRODUCT),
            self._to_woocommerce(self.kept["woo_product_id"]),
        ]
        before, failed, after = self.hub.batch("One failure stops no other", parts)
        if [before["status"], failed["status"], after["status"]] != ["succeeded", "failed", "succeeded"]:
            raise StepFailed(f"Not as it should be: {_told([before, failed, after])}")
        return _told([before, failed, after])

    def _import_everywhere(self) -> str:
        asked = {"shopify": "import_products", "etsy": "import_listings", "woocommerce": "import_products"}
        parts = self.hub.batch("Import from three shops", [_part(key, name) for key, name in asked.items()])
        _demand_success(parts)
        return "; ".join(
            f"{NAMES[part['integrationId']]} {_counted(part['data']['stream'], part['data']['counts'])}"
            for part in parts
        )

    def _all_went_well(self, title: str, parts: list[dict[str, Any]]) -> str:
        found = self.hub.batch(title, parts)
        _demand_success(found)
        return _told(found)

    def _pictures(self, **values: str) -> dict[str, Any]:
        return {**values, "mockupUrls": self.kept["pictures"]}

    def _to_shopify(self) -> dict[str, Any]:
        return _part("shopify", "publish_mockup", self._pictures(productId=self.kept["product"]["id"]))

    def _to_woocommerce(self, product_id: str) -> dict[str, Any]:
        return _part("woocommerce", "publish_mockup", self._pictures(productId=product_id))

    def _to_etsy(self) -> dict[str, Any]:
        """A new draft, with everything that Etsy wants to know of one."""
        category = self.hub.run("etsy", "list_categories", search="mug")["categories"][0]
        shipping = self.hub.run("etsy", "list_shipping_profiles")["shippingProfiles"][0]
        processing = self.hub.run("etsy", "list_processing_profiles")["processingProfiles"][0]
        returns = self.hub.run("etsy", "list_return_policies")["returnPolicies"][0]
        values = self._pictures(
            target="draft",
            title="Mug from the demo",
            description="Printed to order.",
            price="21.99",
            taxonomyId=category["id"],
            shippingProfileId=shipping["id"],
            readinessStateId=processing["id"],
            returnPolicyId=returns["id"],
        )
        return _part("etsy", "publish_mockup", values)


def _part(integration: str, operation: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"integrationId": integration, "operation": operation, "data": dict(values or {})}


def _demand_success(parts: list[dict[str, Any]]) -> None:
    if any(part["status"] != "succeeded" for part in parts):
        raise StepFailed(_told(parts))


def _told(parts: list[dict[str, Any]]) -> str:
    """What became of each part."""
    return "; ".join(
        f"{NAMES[part['integrationId']]} {part['status']}"
        + (f" ({part['error']['userMessage']})" if "error" in part else "")
        for part in parts
    )


def _counted(stream: str, counts: Mapping[str, int]) -> str:
    return f"{counts['read']} {stream} read, {counts['created']} new, {counts['unchanged']} unchanged"


def _design() -> bytes:
    """A small design of our own: a sun over a hill, on nothing."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGBA", (1200, 1200), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((350, 180, 850, 680), fill=(242, 150, 60, 255))
    pen.pieslice((50, 520, 1150, 1620), 180, 360, fill=(38, 70, 83, 255))
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()
