"""The cloud storage to which pictures are uploaded before Shopify takes them: targets, policy forms, signed addresses.

What becomes of an uploaded picture is in `media`. Sources: shopify.dev stagedUploadsCreate (2026-10); Google Cloud
Storage, "POST Object (policy documents)" and "Signed URLs" (read 2026-11).
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote, urlencode
from xml.sax.saxutils import escape

from werkzeug.exceptions import HTTPException
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData
from werkzeug.wrappers import Request, Response

from sandbox.hosts.shopify.ids import shop_number
from sandbox.store import Document, Store

HOST = "shopify-staged-uploads.storage.googleapis.com"
MOST_BYTES = 20 * 1024 * 1024
_LIFETIME = timedelta(hours=24)
_MOST_BODY = MOST_BYTES + 256 * 1024  # room for the form around the file
_CREDENTIAL = "merchant-assets@shopify-tiers.iam.gserviceaccount.com/{day}/auto/storage/goog4_request"


class UploadRefused(Exception):
    """An upload that the storage turns away, in its own code and words."""

    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.code, self.text, self.status = code, text, status


class Staging:
    """Uploads between their announcement and the moment Shopify takes them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._secret = secrets.token_bytes(32)  # what was signed is stored beside the upload, so it need not last

    def announce(self, shop: str, wanted: Document) -> Document:
        """A StagedMediaUploadTarget for a StagedUploadInput."""
        name = re.sub(r"[^\w.\- ]", "_", wanted["filename"]).strip() or "file"
        key = f"tmp/{shop_number(shop)}/products/{secrets.token_hex(16)}/{name}"
        now = datetime.now(UTC)
        upload = {
            "shop": shop,
            "mimeType": wanted["mimeType"],
            "fileSize": wanted.get("fileSize"),
            "expiresAt": (now + _LIFETIME).timestamp(),
            "method": wanted.get("httpMethod") or "PUT",
        }
        resource_url = f"https://{HOST}/{quote(key)}"
        if upload["method"] == "POST":
            fields = self._policy_fields(key, wanted["mimeType"], now)
            upload["fields"] = fields
            target_url, parameters = f"https://{HOST}/", fields
        else:
            signature = self._sign(f"PUT\n{key}\n{wanted['mimeType']}")
            upload["signature"] = signature
            query = {"X-Goog-Algorithm": "GOOG4-RSA-SHA256", "X-Goog-Expires": "86400", "X-Goog-Signature": signature}
            target_url = f"{resource_url}?{urlencode(query)}"
            parameters = {"content_type": wanted["mimeType"], "acl": "private"}
        self._store.put("staged", key, upload)
        return {
            "url": target_url,
            "resourceUrl": resource_url,
            "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
        }

    def handle(self, request: Request, path: str) -> Response:
        """Answer as the storage does: XML, 201 for a form and 200 for a PUT."""
        try:
            if request.method == "POST" and path == "/":
                return self._take_form(request)
            if request.method == "PUT":
                return self._take_bytes(request, path.lstrip("/"))
            raise UploadRefused("AccessDenied", "Access denied.", 403)
        except UploadRefused as refusal:
            return _xml(
                f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.text)}</Message></Error>", refusal.status
            )

    def uploaded(self, shop: str, address: str) -> tuple[bytes, str] | None:
        """Bytes and announced media type behind a `resourceUrl` of this shop; None while nothing was uploaded."""
        key = unquote(address.split("?", 1)[0].removeprefix(f"https://{HOST}/"))
        upload = self._store.get("staged", key)
        content = self._store.get_blob(f"staged/{key}")
        if upload is None or content is None or upload["shop"] != shop:
            return None
        return content, upload["mimeType"]

    def _take_form(self, request: Request) -> Response:
        fields, content = _read_form(request)
        key = fields.get("key", "")
        upload = self._live_upload(key, "POST")
        for name, value in upload["fields"].items():
            if not hmac.compare_digest(fields.get(name, "").encode(), value.encode()):
                text = f"The form must carry the field {name} as announced, before the file."
                raise UploadRefused("InvalidPolicyDocument", text, 403 if name in fields else 400)
        self._keep(key, upload, content)
        tag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        location = f"https://{HOST}/{quote(key)}"
        body = (
            f"<PostResponse><Location>{escape(location)}</Location><Bucket>shopify-staged-uploads</Bucket>"
            f'<Key>{escape(key)}</Key><ETag>"{tag}"</ETag></PostResponse>'
        )
        return _xml(body, 201, {"Location": location, "ETag": f'"{tag}"'})

    def _take_bytes(self, request: Request, key: str) -> Response:
        upload = self._live_upload(key, "PUT")
        signature = request.args.get("X-Goog-Signature", "")
        if not hmac.compare_digest(signature.encode(), upload["signature"].encode()):
            raise UploadRefused("SignatureDoesNotMatch", "The request signature we calculated does not match.", 403)
        if request.mimetype != upload["mimeType"]:
            raise UploadRefused("SignatureDoesNotMatch", "The Content-Type is not the signed one.", 403)
        content = _read_body(request)
        self._keep(key, upload, content)
        tag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return Response(b"", 200, headers={"ETag": f'"{tag}"'})

    def _live_upload(self, key: str, method: str) -> Document:
        upload = self._store.get("staged", key)
        if upload is None or upload["method"] != method:
            raise UploadRefused("AccessDenied", "Access denied.", 403)
        if upload["expiresAt"] <= datetime.now(UTC).timestamp():
            raise UploadRefused("ExpiredToken", "The provided token has expired.", 400)
        return upload

    def _keep(self, key: str, upload: Document, content: bytes) -> None:
        if len(content) > MOST_BYTES:
            raise UploadRefused("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
        if upload["fileSize"] is not None and int(upload["fileSize"]) != len(content):
            raise UploadRefused("EntityTooLarge", "The upload has not the announced size.")
        self._store.put_blob(f"staged/{key}", content)

    def _policy_fields(self, key: str, mime_type: str, now: datetime) -> dict[str, str]:
        fields = {
            "Content-Type": mime_type,
            "success_action_status": "201",
            "acl": "private",
            "key": key,
            "x-goog-date": now.strftime("%Y%m%dT%H%M%SZ"),
            "x-goog-credential": _CREDENTIAL.format(day=now.strftime("%Y%m%d")),
            "x-goog-algorithm": "GOOG4-RSA-SHA256",
        }
        conditions: list[object] = [{name: value} for name, value in fields.items()]
        conditions.append(["content-length-range", 0, MOST_BYTES])
        expiration = (now + _LIFETIME).strftime("%Y-%m-%dT%H:%M:%SZ")
        document = json.dumps({"conditions": conditions, "expiration": expiration})
        policy = base64.b64encode(document.encode()).decode()
        return fields | {"x-goog-signature": self._sign(policy), "policy": policy}

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def _read_form(request: Request) -> tuple[dict[str, str], bytes]:
    """The fields that stand before the file, and the file; raises UploadRefused."""
    boundary = request.mimetype_params.get("boundary")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise UploadRefused("InvalidArgument", "The body must be multipart/form-data.")
    decoder = MultipartDecoder(boundary.encode(), _MOST_BODY)
    fields: dict[str, bytearray] = {}
    content: bytearray | None = None
    current: bytearray | None = None
    try:
        decoder.receive_data(_read_body(request))
        decoder.receive_data(None)
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            if isinstance(event, File) or (isinstance(event, Field) and event.name == "file"):
                content = current = bytearray()
            elif isinstance(event, Field):
                current = bytearray()
                if content is None:
                    fields[event.name or ""] = current
            elif isinstance(event, Data) and current is not None:
                current += event.data
        if content is None:
            raise UploadRefused("InvalidArgument", "The form has no file.")
        return {name: bytes(value).decode() for name, value in fields.items()}, bytes(content)
    except (ValueError, HTTPException) as error:
        raise UploadRefused("MalformedPOSTRequest", "The body is not well-formed multipart/form-data.") from error


def _read_body(request: Request) -> bytes:
    content = request.get_data()
    if len(content) > _MOST_BODY:
        raise UploadRefused("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
    return content


def _xml(body: str, status: int, headers: dict[str, str] | None = None) -> Response:
    text = f"<?xml version='1.0' encoding='UTF-8'?>{body}"
    return Response(text, status, headers=headers, mimetype="application/xml")
