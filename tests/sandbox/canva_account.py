"""An app with a token at the sandbox's Canva, for the tests of Canva beside this file.

What Canva must answer is said in those tests.
"""

import json
from base64 import b64encode
from io import BytesIO
from typing import Any

import requests
from PIL import Image

API = "api.canva.com/rest/v1"


class Account:
    """Speaks to the API as the app `sandbox-canva`, for one account."""

    def __init__(self, url: str, **wanted: Any) -> None:
        self.url = url
        self.http = requests.Session()
        self.token = self.control("POST", "token", json=wanted).json()
        self.http.headers["Authorization"] = f"Bearer {self.token['access_token']}"

    def control(self, method: str, call: str, **named: Any) -> requests.Response:
        """A control call of the sandbox."""
        return requests.request(method, f"{self.url}/_sandbox/canva/{call}", timeout=60, **named)

    def call(self, method: str, path: str, **named: Any) -> requests.Response:
        """A call of the REST API; `path` follows `/rest/v1/`."""
        return self.http.request(method, f"{self.url}/{API}/{path}", timeout=30, **named)

    def ask(self, path: str, **params: Any) -> Any:
        """What a GET answers that goes well."""
        answer = self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def designs(self, **params: Any) -> list[dict[str, Any]]:
        """All designs of a list, page by page."""
        page = self.ask("designs", **params)
        found = list(page["items"])
        while "continuation" in page:
            page = self.ask("designs", continuation=page["continuation"], limit=params.get("limit", 25))
            found += page["items"]
        return found

    def export(self, design_id: str, **form: Any) -> requests.Response:
        """Begin an export."""
        return self.call("POST", "exports", json={"design_id": design_id, "format": {"type": "png", **form}})

    def exported(self, design_id: str, **form: Any) -> Any:
        """The job of an export once it is over."""
        begun = self.export(design_id, **form)
        assert begun.status_code == 200, begun.text
        return self.over("exports", begun.json()["job"]["id"])

    def upload(self, content: bytes, name: str = "Mug") -> requests.Response:
        """Begin an upload."""
        metadata = json.dumps({"name_base64": b64encode(name.encode()).decode()})
        headers = {"Content-Type": "application/octet-stream", "Asset-Upload-Metadata": metadata}
        return self.call("POST", "asset-uploads", data=content, headers=headers)

    def uploaded(self, content: bytes, name: str = "Mug") -> Any:
        """The job of an upload once it is over."""
        begun = self.upload(content, name)
        assert begun.status_code == 200, begun.text
        return self.over("asset-uploads", begun.json()["job"]["id"])

    def over(self, resource: str, job_id: str) -> Any:
        """Look at a job until it is no longer in progress."""
        for _ in range(10):
            job = self.ask(f"{resource}/{job_id}")["job"]
            if job["status"] != "in_progress":
                return job
        raise AssertionError("the job is never over")

    def fetch(self, address: str) -> requests.Response:
        """Fetch a file from the address the platform gave, without a token."""
        return requests.get(address.replace("https://", f"{self.url}/"), timeout=30)


def picture(form: str = "PNG", size: tuple[int, int] = (60, 40)) -> bytes:
    """A small picture."""
    buffer = BytesIO()
    Image.new("RGB", size, (200, 90, 60)).save(buffer, form)
    return buffer.getvalue()


def opened(content: bytes) -> Image.Image:
    """What the bytes show."""
    return Image.open(BytesIO(content))
