"""Canva: what is special about it. Errors are written as the REST reference shows them."""

from tests.providers.sample import Sample, mockup_of

SAMPLE = Sample(
    without_scope={"scopes": "profile:read"},
    inputs={
        "import_design": lambda _user, _sandbox: {"designId": "DAF0fernpo1"},
        "export_design": lambda _user, _sandbox: {"designId": "DAF0stickr1", "keep": True},
        "upload_asset": lambda user, _sandbox: {"mockupUrls": [mockup_of(user, "teal"), mockup_of(user, "plum")]},
    },
    quick={
        "patchbay.providers.canva.jobs.PAUSES_S": (0.0,) * 5,
        "patchbay.providers.canva.uploads.PAUSES_S": (0.0,) * 5,
    },
)
