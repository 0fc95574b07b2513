"""The document of the integrations says what the declarations say."""

from scripts import integration_docs


def test_the_document_is_as_fresh_as_the_declarations() -> None:
    written = integration_docs.DOCUMENT.read_text(encoding="utf-8")

    assert written == integration_docs.text(), "run `make docs`"
