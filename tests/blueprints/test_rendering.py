"""The rendering edge: page or fragment, toasts, headers, problems in words, formats for people."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask, Response, g, get_flashed_messages, session
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from blueprints import rendering
from blueprints.rendering import formats, look
from blueprints.rendering.headers import POLICY
from blueprints.rendering.sentences import said, sentence_of, told
from patchbay.errors import Invalid, NotFound, PatchbayError, RateLimited, TooManyRequests, Unauthenticated

FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial"}
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TEMPLATES = {
    "page.html": "<html>{% include '_part.html' %}</html>",
    "_part.html": "<p>{{ word }}</p>",
    "long.html": "<p>" + "long " * 400 + "</p>",
    "components/_toasts.html": "{% for a, b in toasts %}<hx-partial>{{ b }}: {{ a }}</hx-partial>{% endfor %}",
    "errors/error.html": "<h1>{{ problem.title }}</h1>{{ problem.sentence }} {{ problem.detail }} {{ request_id }}"
    " {{ login_address }}",
}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    for name, text in TEMPLATES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    app = Flask(__name__, static_folder=None, template_folder=str(tmp_path))
    app.secret_key = "for this test"
    rendering.init_app(app, is_https=False, has_sandbox=True)
    _add_views(app)
    _add_failures(app)
    app.register_error_handler(PatchbayError, lambda error: rendering.answer_problem(error, request_id="req_1"))
    app.register_error_handler(HTTPException, lambda error: rendering.answer_http_error(error, request_id="req_1"))
    return app


def _add_views(app: Flask) -> None:
    @app.get("/word")
    def word() -> Response:
        return rendering.page_or_fragment("page.html", "_part.html", word="<b>hello</b>")

    @app.get("/long")
    def long() -> Response:
        return rendering.render("long.html")

    @app.post("/save")
    def save() -> Response:
        rendering.toast("It is <saved>.")
        return rendering.page_or_fragment("page.html", "_part.html", word="saved")

    @app.post("/leave")
    def leave() -> Response:
        rendering.toast("Gone.")
        return rendering.see_other("/word")

    @app.get("/flashed")
    def flashed() -> list[object]:
        return list(get_flashed_messages(with_categories=True))

    @app.get("/secret")
    def secret() -> Response:
        return rendering.leaves_no_trace(rendering.render("_part.html", word="secret"))

    @app.get("/token")
    def token() -> str:
        return rendering.csrf_token()

    @app.get("/session")
    def shown_session() -> str:
        return str(session.get("csrf"))


def _add_failures(app: Flask) -> None:
    failures: dict[str, PatchbayError] = {
        "missing": NotFound(),
        "typed": Invalid({"name": "This field is needed."}),
        "stranger": Unauthenticated(),
        "hasty": TooManyRequests(retry_after_s=30),
        "slow": RateLimited("429", retry_at=NOON, provider="Figma"),
    }

    @app.route("/fail/<name>", methods=["GET", "POST"])
    def fail(name: str) -> Response:
        raise failures[name]

    @app.get("/integrations", endpoint="catalog.integrations")
    def integrations() -> str:
        return ""

    @app.get("/login", endpoint="accounts.login")
    def login() -> str:
        return ""


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def reader(app: Flask) -> Iterator[Flask]:
    with app.test_request_context("/"):
        yield app


class TestPageOrFragment:
    def test_a_browser_gets_the_page(self, client: FlaskClient) -> None:
        assert client.get("/word").text == "<html><p>&lt;b&gt;hello&lt;/b&gt;</p></html>"

    def test_htmx_gets_the_fragment(self, client: FlaskClient) -> None:
        assert client.get("/word", headers=FRAGMENT).text == "<p>&lt;b&gt;hello&lt;/b&gt;</p>"

    @pytest.mark.parametrize(
        "headers",
        [
            {"HX-Request": "true", "HX-Request-Type": "full"},
            {"HX-History-Restore-Request": "true", "HX-Request-Type": "full"},
            FRAGMENT | {"HX-History-Restore-Request": "true"},
            {"HX-Request-Type": "partial"},
        ],
    )
    def test_what_replaces_the_whole_page_gets_the_page(self, client: FlaskClient, headers: dict[str, str]) -> None:
        assert client.get("/word", headers=headers).text.startswith("<html>")

    def test_caches_keep_the_two_apart(self, client: FlaskClient) -> None:
        varied = client.get("/word").headers["Vary"]

        assert {"HX-Request", "HX-Request-Type", "HX-History-Restore-Request", "Cookie", "Accept-Language"} <= set(
            varied.split(", ")
        )

    def test_a_browser_is_sent_on_by_303(self, client: FlaskClient) -> None:
        answer = client.post("/leave")

        assert (answer.status_code, answer.headers["Location"]) == (303, "/word")

    def test_htmx_is_sent_on_by_a_header(self, client: FlaskClient) -> None:
        answer = client.post("/leave", headers=FRAGMENT)

        assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, "/word")


class TestToasts:
    def test_htmx_gets_the_toast_with_the_fragment(self, client: FlaskClient) -> None:
        answer = client.post("/save", headers=FRAGMENT)

        assert answer.text == "<p>saved</p><hx-partial>ok: It is &lt;saved&gt;.</hx-partial>"
        assert client.get("/flashed").json == []

    @pytest.mark.parametrize("headers", [{}, FRAGMENT])
    def test_on_the_way_to_another_page_the_toast_waits_there(
        self, client: FlaskClient, headers: dict[str, str]
    ) -> None:
        client.post("/leave", headers=headers)

        assert client.get("/flashed").json == [["ok", "Gone."]]


class TestHeaders:
    @pytest.mark.parametrize("path", ["/word", "/nothing-here", "/token"])
    def test_every_answer_is_protected(self, client: FlaskClient, path: str) -> None:
        headers = client.get(path).headers

        assert headers["Content-Security-Policy"] == POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "private, no-cache"
        assert "Strict-Transport-Security" not in headers

    def test_https_is_insisted_on_where_it_is_used(self) -> None:
        app = Flask(__name__, static_folder=None)
        rendering.init_app(app, is_https=True, has_sandbox=False)

        headers = app.test_client().get("/").headers

        assert headers["Strict-Transport-Security"] == "max-age=31536000"

    def test_scripts_and_styles_come_from_files_alone(self) -> None:
        assert "unsafe" not in POLICY
        assert "nonce" not in POLICY

    def test_a_secret_is_not_stored_and_tells_nobody(self, client: FlaskClient) -> None:
        headers = client.get("/secret").headers

        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "ETag" not in headers

    def test_an_unchanged_page_costs_no_body(self, client: FlaskClient) -> None:
        etag = client.get("/word").headers["ETag"]

        answer = client.get("/word", headers={"If-None-Match": etag})

        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["Content-Security-Policy"] == POLICY

    def test_page_and_fragment_have_different_etags(self, client: FlaskClient) -> None:
        assert client.get("/word").headers["ETag"] != client.get("/word", headers=FRAGMENT).headers["ETag"]

    def test_a_long_page_is_compressed(self, client: FlaskClient) -> None:
        plain = client.get("/long")

        packed = client.get("/long", headers={"Accept-Encoding": "gzip"})

        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain.data
        assert packed.headers["ETag"] == plain.headers["ETag"]


class TestProblems:
    def test_a_browser_gets_a_page_with_a_true_status(self, client: FlaskClient) -> None:
        answer = client.get("/fail/missing")

        assert answer.status_code == 404
        assert "<h1>Not found</h1>" in answer.text
        assert "req_1" in answer.text

    @pytest.mark.parametrize(("name", "status"), [("missing", 404), ("typed", 422), ("slow", 429)])
    def test_htmx_gets_a_toast_and_keeps_its_page(self, client: FlaskClient, name: str, status: int) -> None:
        answer = client.post(f"/fail/{name}", headers=FRAGMENT)

        assert answer.status_code == status
        assert answer.headers["HX-Reswap"] == "none"
        assert answer.text.startswith("<hx-partial>err: ")

    def test_the_sentence_names_the_platform_and_the_time(self, client: FlaskClient) -> None:
        page = client.get("/fail/slow").text

        assert "Figma asked us to slow down" in page
        assert "12:00 UTC" in page

    def test_a_hasty_caller_is_told_when_to_come_back(self, client: FlaskClient) -> None:
        assert client.get("/fail/hasty").headers["Retry-After"] == "30"

    def test_an_unknown_address_is_a_page_too(self, client: FlaskClient) -> None:
        assert "<h1>Not found</h1>" in client.get("/nothing-here").text

    def test_a_wrong_method_says_which_are_right(self, client: FlaskClient) -> None:
        answer = client.delete("/word")

        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]

    @pytest.mark.usefixtures("reader")
    def test_a_crash_shows_no_cause(self) -> None:
        answer = rendering.answer_crash(request_id="req_9")

        assert answer.status_code == 500
        assert "req_9" in answer.get_data(as_text=True)

    def test_htmx_without_a_session_goes_to_sign_in_and_back(self, client: FlaskClient) -> None:
        here = FRAGMENT | {"HX-Current-URL": "http://localhost/runs?status=failed"}

        answer = client.post("/fail/stranger", headers=here)

        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"] == "/login?next=/runs%3Fstatus%3Dfailed"

    @pytest.mark.parametrize(
        "elsewhere", ["http://evil.example/x", "//evil.example", "http://localhost//evil.example", "javascript:1", ""]
    )
    def test_signing_in_never_leads_to_another_site(self, client: FlaskClient, elsewhere: str) -> None:
        answer = client.post("/fail/stranger", headers=FRAGMENT | {"HX-Current-URL": elsewhere})

        assert answer.headers["HX-Redirect"] == "/login?next=/integrations"

    def test_a_page_without_a_session_offers_to_sign_in(self, client: FlaskClient) -> None:
        answer = client.get("/fail/stranger?a=1")

        assert answer.status_code == 401
        assert "/login?next=/fail/stranger%3Fa%3D1" in answer.text


class TestReader:
    def test_the_token_stays_the_same_within_a_session(self, client: FlaskClient) -> None:
        first = client.get("/token").text

        assert client.get("/token").text == first == client.get("/session").text
        assert len(first) >= 32

    @pytest.mark.parametrize(("cookie", "expected"), [("dark", "dark"), ("light", "light"), ("'><b>", "system")])
    def test_only_known_themes_are_taken(self, app: Flask, cookie: str, expected: str) -> None:
        with app.test_request_context("/", headers={"Cookie": f"theme={cookie}"}):
            assert look.theme() == expected

    @pytest.mark.usefixtures("reader")
    def test_the_look_is_remembered(self) -> None:
        cookies = rendering.remember_look(Response(), theme="dark", shortcuts=False).headers.getlist("Set-Cookie")

        assert [cookie.split(";")[0] for cookie in cookies] == ["theme=dark", "shortcuts=off"]

    @pytest.mark.usefixtures("reader")
    def test_the_system_s_look_is_remembered_by_forgetting(self) -> None:
        cookies = rendering.remember_look(Response(), theme="mauve", shortcuts=True).headers.getlist("Set-Cookie")

        assert [cookie.split(";")[0] for cookie in cookies] == ["theme=", "shortcuts="]

    def test_templates_know_the_reader(self, app: Flask) -> None:
        with app.test_request_context("/"):
            g.user = "Ada"
            context: dict[str, object] = {}
            app.update_template_context(context)

        assert (context["user"], context["has_sandbox"]) == ("Ada", True)


@pytest.mark.usefixtures("reader")
class TestFormats:
    @pytest.mark.parametrize(
        ("distance", "words"),
        [
            (timedelta(seconds=-10), "just now"),
            (timedelta(seconds=30), "in a moment"),
            (timedelta(minutes=-5), "5 minutes ago"),
            (timedelta(hours=2), "in 2 hours"),
        ],
    )
    @time_machine.travel(NOON, tick=False)
    def test_a_distance_is_told_in_words(self, distance: timedelta, words: str) -> None:
        assert formats.ago(NOON + distance) == words

    def test_times_name_their_zone_while_the_reader_s_is_unknown(self) -> None:
        assert formats.moment(NOON) == "21 Nov 2026, 12:00 UTC"
        assert formats.hour(NOON) == "12:00 UTC"
        assert formats.second(NOON) == "12:00:00 UTC"

    def test_times_are_local_once_the_browser_has_told_its_zone(self, app: Flask) -> None:
        with app.test_request_context("/", headers={"Cookie": "tz=Asia/Tokyo"}):
            assert formats.hour(NOON) == "21:00"
            assert formats.second(NOON) == "21:00:00"

    @pytest.mark.parametrize("zone", ["Mars/Base", "../etc/passwd", ""])
    def test_an_unknown_zone_is_utc(self, app: Flask, zone: str) -> None:
        with app.test_request_context("/", headers={"Cookie": f"tz={zone}"}):
            assert formats.hour(NOON) == "12:00 UTC"

    @pytest.mark.parametrize(
        ("length", "words"),
        [
            (timedelta(milliseconds=850), "850 ms"),
            (timedelta(seconds=12), "12 s"),
            (timedelta(seconds=200), "3 min 20 s"),
            (timedelta(minutes=5), "5 min"),
            (timedelta(minutes=125), "2 h 5 min"),
            (timedelta(days=1), "24 h"),
        ],
    )
    def test_a_length_has_two_units_at_most(self, length: timedelta, words: str) -> None:
        assert formats.duration(length) == words

    @pytest.mark.parametrize(
        ("size_bytes", "words"),
        [(0, "0 B"), (999, "999 B"), (12_300, "12 KB"), (999_950, "1 MB"), (3_440_000, "3.4 MB")],
    )
    def test_a_size_is_rounded_to_its_unit(self, size_bytes: int, words: str) -> None:
        assert formats.size(size_bytes) == words

    def test_lists_are_joined_by_words(self) -> None:
        assert formats.listed([]) == ""
        assert formats.listed(["Etsy", "Figma", "Canva"]) == "Etsy, Figma and Canva"
        assert formats.listed(iter(("Etsy", "Figma")), "or") == "Etsy or Figma"

    @pytest.mark.parametrize(("done", "total", "share"), [(0, 0, 0), (999, 1000, 99), (5, 4, 100)])
    def test_a_hundred_percent_means_finished(self, done: int, total: int, share: int) -> None:
        assert formats.percent(done, total) == share


@pytest.mark.usefixtures("reader")
class TestSentences:
    def test_placeholders_are_filled(self) -> None:
        assert said("Page %(n)s was saved.", {"n": 3}) == "Page 3 was saved."

    def test_a_placeholder_that_a_row_does_not_know_does_not_fail_the_page(self) -> None:
        assert said("Page %(n)s was saved.", {}) == "Page … was saved."

    def test_a_percent_sign_without_parameters_is_left_alone(self) -> None:
        assert said("100 % cotton") == "100 % cotton"

    def test_an_error_that_a_row_remembers_is_told_again(self) -> None:
        title, sentence = told("CredentialsRefused", {"provider": "Etsy"})

        assert title == "Etsy rejected the saved credentials"
        assert sentence == "They may have been changed or revoked in Etsy. Reconnect to fix this."

    def test_what_was_done_and_why_no_more_are_sentences_within_the_sentence(self) -> None:
        params = {
            "provider": "WooCommerce",
            "done": "%(number)s of %(total)s pictures",
            "reason": "%(provider)s could not read the picture.",
            "number": "1",
            "total": "3",
        }

        _, sentence = told("PartlyDone", params)

        assert sentence.endswith(
            "done: 1 of 3 pictures. WooCommerce refused the rest: WooCommerce could not read the picture."
        )

    def test_a_platform_s_own_words_stay_as_they_are(self) -> None:
        told_of = {"provider": "Etsy", "done": "a 100%.png", "reason": "%d is no size, %(title)"}

        _, sentence = told("PartlyDone", told_of)

        assert "a 100%.png" in sentence
        assert sentence.endswith("the rest: %d is no size, %(title).")

    def test_words_that_name_themselves_end(self) -> None:
        assert said("It says: %(reason)s", {"reason": "%(reason)s"}) == "It says: …"

    def test_counts_and_times_are_written_for_people(self) -> None:
        assert said("%(done)s saved.", {"done": 1250}) == "1,250 saved."
        assert sentence_of(RateLimited("", retry_at=NOON, provider="Figma")).endswith("at 21 Nov 2026, 12:00 UTC.")

    def test_a_time_of_an_older_row_is_shown_as_it_was_written(self) -> None:
        assert said("Going on at %(time)s.", {"time": "2026-11-21 12:00 UTC"}) == "Going on at 2026-11-21 12:00 UTC."


class TestGerman:
    @pytest.fixture(autouse=True)
    def _reader(self, app: Flask) -> Iterator[None]:
        with app.test_request_context("/", headers={"Accept-Language": "de", "Cookie": "tz=Europe/Berlin"}):
            yield

    @time_machine.travel(NOON, tick=False)
    def test_dates_times_and_distances(self) -> None:
        assert formats.moment(NOON) == "21. Nov. 2026, 13:00 MEZ"
        assert formats.day(NOON) == "21. Nov. 2026"
        assert formats.hour(NOON) == "13:00"
        assert formats.ago(NOON - timedelta(minutes=5)) == "vor 5 Minuten"
        assert formats.ago(NOON + timedelta(hours=1)) == "in 1 Stunde"
        assert formats.ago(NOON) == "gerade eben"

    def test_numbers_and_sizes(self) -> None:
        assert formats.number(1_204) == "1.204"
        assert formats.size(3_440_000) == "3,4 MB"
        assert [formats.share(value) for value in (0.999, 1)] == ["99,9\N{NO-BREAK SPACE}%", "100\N{NO-BREAK SPACE}%"]

    def test_lists(self) -> None:
        assert formats.listed(["Etsy"]) == "Etsy"
        assert formats.listed(["Etsy", "Figma", "Canva"]) == "Etsy, Figma und Canva"
        assert formats.listed(["Etsy", "Figma"], "or") == "Etsy oder Figma"

    def test_what_was_being_done_fits_into_the_sentence(self) -> None:
        _, sentence = told("PlatformError", {"provider": "Etsy", "action": "importing listings"})

        assert sentence == (
            "Etsy hat beim Importieren der Artikel mit einem Fehler geantwortet. Ihre Daten hier sind unverändert."
        )

    def test_a_log_line_is_told_with_its_counts(self) -> None:
        assert said("%(done)s of %(total)s saved.", {"done": 1_250, "total": 10_000}) == "1.250 von 10.000 gespeichert."
