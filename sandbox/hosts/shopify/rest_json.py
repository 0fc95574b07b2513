"""Products and pictures in the words of the REST Admin API, made of the stored documents.

Answering calls with them is the business of `rest`.
"""

from sandbox.hosts.shopify.ids import gid
from sandbox.store import Document


def product_json(document: Document) -> Document:
    """A product as `products.json` lists it."""
    images = [image_json(document, entry) for entry in document["media"] if entry["status"] == "READY"]
    return {
        "id": document["number"],
        "title": document["title"],
        "body_html": document["descriptionHtml"],
        "vendor": document["vendor"],
        "product_type": document["productType"],
        "created_at": document["createdAt"],
        "handle": document["handle"],
        "updated_at": document["updatedAt"],
        "published_at": document["publishedAt"],
        "template_suffix": document["templateSuffix"],
        "published_scope": "global",
        "tags": ", ".join(document["tags"]),
        "status": document["status"].lower(),
        "admin_graphql_api_id": document["id"],
        "variants": [_variant_json(document, variant) for variant in document["variants"]],
        "options": [
            {
                "id": option["number"],
                "product_id": document["number"],
                "name": option["name"],
                "position": option["position"],
                "values": option["values"],
            }
            for option in document["options"]
        ],
        "images": images,
        "image": images[0] if images else None,
    }


def image_json(document: Document, entry: Document) -> Document:
    """One picture of a product; `position` counts from 1."""
    return {
        "id": entry["number"],
        "alt": entry["alt"],
        "position": document["media"].index(entry) + 1,
        "product_id": document["number"],
        "created_at": entry["createdAt"],
        "updated_at": entry["updatedAt"],
        "admin_graphql_api_id": gid("ProductImage", entry["number"]),
        "width": entry["width"],
        "height": entry["height"],
        "src": entry["url"],
        "variant_ids": [v["number"] for v in document["variants"] if v["mediaNumber"] == entry["number"]],
    }


def media_json(document: Document, entry: Document) -> Document:
    """One picture as the sandbox's state shows it: GraphQL's words and the product it belongs to."""
    names = ("id", "alt", "mediaContentType", "status", "mimeType", "url", "width", "height", "fileSize", "createdAt")
    return {name: entry[name] for name in names} | {"productId": document["id"], "mediaErrors": entry["errors"]}


def _variant_json(document: Document, variant: Document) -> Document:
    values = [option["value"] for option in variant["selectedOptions"]]
    options = {f"option{n}": values[n - 1] if n <= len(values) else None for n in (1, 2, 3)}
    return {
        "id": variant["number"],
        "product_id": document["number"],
        "title": variant["title"],
        "price": variant["price"],
        "position": variant["position"],
        "inventory_policy": "deny",
        "compare_at_price": variant["compareAtPrice"],
        **options,
        "created_at": variant["createdAt"],
        "updated_at": variant["updatedAt"],
        "taxable": variant["taxable"],
        "barcode": variant["barcode"],
        "fulfillment_service": "manual",
        "grams": 0,
        "inventory_management": "shopify",
        "requires_shipping": True,
        "sku": variant["sku"],
        "weight": 0.0,
        "weight_unit": "kg",
        "inventory_quantity": variant["inventoryQuantity"],
        "admin_graphql_api_id": variant["id"],
        "image_id": variant["mediaNumber"],
    }
