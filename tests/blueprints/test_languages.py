"""Which language a reader gets: the own setting, this browser's, what it asks for, English; and that all follows it."""

from collections.abc import Callable, Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from patchbay import accounts
from patchbay.models import User
from tests.blueprints.pages import address_in, path_of, post, text_of, token_in
from tests.stage import in_context

Login = Callable[[FlaskClient, User], str]
KeyFor = Callable[..., Mapping[str, str]]
IN_GERMAN, IN_FRENCH = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.8"}, {"Accept-Language": "fr-FR,fr;q=0.9"}
GERMAN, ENGLISH = "Verbinden Sie die Werkzeuge, die Sie schon nutzen.", "Connect the tools you already use."


@pytest.fixture
def token(client: FlaskClient, ada: User, login: Login) -> str:
    return login(client, ada)


def choose(client: FlaskClient, language: str, page: str = "/integrations", **headers: str) -> TestResponse:
    """Press the language's button at the foot of a page."""
    sent = {"csrf_token": token_in(client.get(page)), "language": language}
    return client.post("/language", data=sent, headers={"Referer": f"http://localhost{page}", **headers})


def keep(app: Flask, user: User, language: str | None) -> None:
    """Give a user the setting."""
    with in_context(app):
        stored = accounts.by_id(user.id)
        assert stored is not None
        accounts.choose_language(stored, language)


class TestWhatTheBrowserAsksFor:
    @pytest.mark.parametrize(
        ("asked", "language"),
        [
            ("de", "de"),
            ("de-AT,en;q=0.5", "de"),
            ("de_CH", "de"),
            ("DE-de", "de"),
            ("fr,de;q=0.7,en;q=0.3", "de"),
            ("en;q=0.3,de;q=0.7", "de"),
            ("en-GB,de;q=0.9", "en"),
            ("de;q=0,en", "en"),
            ("de;q=0", "en"),
            ("fr", "en"),
            ("*", "en"),
            ("", "en"),
            ("de;q=much, ,;;", "en"),
            ("../../de", "en"),
        ],
    )
    def test_the_best_that_there_are_texts_in_is_spoken(self, client: FlaskClient, asked: str, language: str) -> None:
        page = client.get("/integrations", headers={"Accept-Language": asked})

        assert f'<html lang="{language}"' in page.text
        assert (GERMAN if language == "de" else ENGLISH) in text_of(page)

    def test_caches_keep_the_languages_apart(self, client: FlaskClient) -> None:
        german = client.get("/integrations", headers=IN_GERMAN)
        english = client.get("/integrations")

        assert "Accept-Language" in german.headers["Vary"]
        assert german.headers["ETag"] != english.headers["ETag"]

    def test_a_kept_page_of_another_language_is_not_taken_for_the_same(self, client: FlaskClient) -> None:
        kept = client.get("/integrations", headers=IN_GERMAN).headers["ETag"]

        in_german = client.get("/integrations", headers={"If-None-Match": kept, **IN_GERMAN})
        in_english = client.get("/integrations", headers={"If-None-Match": kept})

        assert (in_german.status_code, in_english.status_code) == (304, 200)

    def test_static_files_are_the_same_for_all(self, client: FlaskClient) -> None:
        address = address_in(client.get("/"), r"/static/css/app\.[^\"]+")

        answer = client.get(address, headers=IN_GERMAN)

        assert answer.status_code == 200
        assert "Accept-Language" not in answer.headers.get("Vary", "")


class TestTheFootOfThePage:
    def test_a_visitor_chooses_and_comes_back_to_the_page(self, client: FlaskClient) -> None:
        answer = choose(client, "de", "/integrations?category=storage")

        assert path_of(answer) == "/integrations?category=storage"
        assert GERMAN in text_of(client.get("/integrations"))

    def test_the_choice_counts_more_than_what_the_browser_asks_for(self, client: FlaskClient) -> None:
        choose(client, "en")

        assert ENGLISH in text_of(client.get("/integrations", headers=IN_GERMAN))

    @pytest.mark.parametrize(("headers", "offered"), [({}, "Deutsch"), (IN_GERMAN, "English")])
    def test_only_the_other_languages_are_offered_each_in_its_own(
        self, client: FlaskClient, headers: Mapping[str, str], offered: str
    ) -> None:
        page = client.get("/", headers=headers).text

        assert page.count('name="language"') == 1
        assert f">{offered}</button>" in page

    @pytest.mark.usefixtures("token")
    def test_the_choice_of_somebody_signed_in_is_their_setting(
        self, app: Flask, client: FlaskClient, ada: User, login: Login
    ) -> None:
        choose(client, "de")

        elsewhere = app.test_client()
        login(elsewhere, ada)
        assert GERMAN in text_of(elsewhere.get("/integrations"))

    def test_it_stays_in_this_browser_after_signing_out(self, client: FlaskClient, token: str) -> None:
        choose(client, "de")
        post(client, "/logout", token)

        assert "Anmelden" in text_of(client.get("/login"))

    @pytest.mark.parametrize("language", ["fr", "", "../de", "DE"])
    def test_a_language_without_texts_is_refused(self, client: FlaskClient, language: str) -> None:
        answer = choose(client, language)

        assert answer.status_code == 422
        assert ENGLISH in text_of(client.get("/integrations"))

    @pytest.mark.parametrize(
        "came_from",
        ["https://evil.example/integrations", "http://localhost/logout", "http://localhost/nowhere", "nonsense", ""],
    )
    def test_what_is_no_page_of_ours_is_not_gone_back_to(self, client: FlaskClient, came_from: str) -> None:
        answer = choose(client, "de", Referer=came_from)

        assert path_of(answer) == "/"

    def test_it_needs_the_token_like_every_form(self, client: FlaskClient) -> None:
        client.get("/")

        answer = client.post("/language", data={"language": "de"})

        assert answer.status_code == 403
        assert ENGLISH in text_of(client.get("/integrations"))


class TestTheOwnSetting:
    def look(self, client: FlaskClient, token: str, language: str) -> TestResponse:
        return post(client, "/account/look", token, theme="system", shortcuts="on", language=language)

    @pytest.mark.usefixtures("token")
    def test_it_counts_more_than_browser_and_header(self, app: Flask, client: FlaskClient, ada: User) -> None:
        client.set_cookie("language", "en")
        keep(app, ada, "de")

        page = client.get("/integrations", headers=IN_FRENCH)

        assert '<html lang="de"' in page.text

    def test_what_is_said_of_the_choice_is_said_in_the_chosen_language(self, client: FlaskClient, token: str) -> None:
        answer = self.look(client, token, "de")

        page = client.get(path_of(answer))
        assert "Gespeichert." in text_of(page)
        assert 'value="de" checked' in page.text

    def test_following_the_browser_again_forgets_the_choice_everywhere(self, client: FlaskClient, token: str) -> None:
        self.look(client, token, "de")

        self.look(client, token, "")

        page = client.get("/account")
        assert "Saved." in text_of(page)
        assert '<html lang="en"' in page.text
        assert client.get_cookie("language") is None

    @pytest.mark.usefixtures("token")
    def test_a_setting_whose_texts_are_gone_does_no_harm(self, app: Flask, client: FlaskClient, ada: User) -> None:
        keep(app, ada, "tlh")

        assert '<html lang="de"' in client.get("/integrations", headers=IN_GERMAN).text

    def test_a_language_without_texts_is_refused(self, client: FlaskClient, token: str) -> None:
        assert self.look(client, token, "fr").status_code == 422


class TestPrograms:
    def test_an_error_is_told_in_the_language_asked_for(self, client: FlaskClient) -> None:
        body = client.get("/api/runs", headers=IN_GERMAN).get_json()

        assert (
            body["userMessage"] == body["error"] == "Melden Sie sich an, oder senden Sie einen gültigen API-Schlüssel."
        )
        assert body["type"] == "UNAUTHENTICATED"

    def test_fields_are_told_in_it_too(self, client: FlaskClient, ada: User, key_for: KeyFor) -> None:
        answer = client.post("/api/mockups", json={}, headers={**key_for(ada), **IN_GERMAN})

        assert "Diese Angabe wird benötigt." in answer.get_json()["fields"].values()
        assert "Accept-Language" in answer.headers["Vary"]

    def test_a_call_may_ask_for_another_language_than_the_owner_reads(
        self, app: Flask, client: FlaskClient, ada: User, key_for: KeyFor
    ) -> None:
        keep(app, ada, "de")
        key = key_for(ada)

        asked = client.get("/api/runs/none", headers={**key, "Accept-Language": "en"}).get_json()
        silent = client.get("/api/runs/none", headers=key).get_json()

        assert asked["userMessage"].startswith("There is nothing here.")
        assert silent["userMessage"].startswith("Hier ist nichts.")

    def test_what_a_list_says_follows_too(self, client: FlaskClient, ada: User, key_for: KeyFor) -> None:
        rows = client.get("/api/integrations/list", headers={**key_for(ada), **IN_GERMAN}).get_json()

        assert "Produkte importieren und Mockups in Ihrem Shop veröffentlichen." in str(rows)
