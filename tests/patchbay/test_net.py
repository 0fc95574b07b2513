"""What the outer door does on the wire, over real TLS on loopback: limits, failures, certificates, the sandbox."""

import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from patchbay.errors import AddressBlocked, Invalid, NetworkError
from patchbay.net import FilePart, Net, Outgoing
from patchbay.net.dialling import dial, limit

SECRET = "hunter2-secret"


@dataclass
class Received:
    """What a server saw of one request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer_port: int


@dataclass
class Server:
    """A server on loopback; `answers` maps a path to what to do with the connection."""

    port: int
    received: list[Received] = field(default_factory=list)


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[Received]

    def do_GET(self) -> None:
        body = self._body()
        peer_port = self.client_address[1]
        self.seen.append(Received(self.command, self.path, dict(self.headers), body, peer_port))
        getattr(self, "answer_" + self.path.split("?")[0].strip("/").split("/")[-1], self.answer_ok)()

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - http.server looks methods up by these names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_ok(self) -> None:
        self.answer(200, b"fine", X_Request_Id="r1", Set_Cookie="a=b")

    def answer_moved(self) -> None:
        self.answer(302, b"", Location="https://169.254.169.254/latest/meta-data")

    def answer_resume(self) -> None:
        self.answer(308, b"", Range="bytes=0-99")

    def answer_big(self) -> None:
        self.answer(200, b"x" * 300_000)

    def answer_bomb(self) -> None:
        import gzip

        self.answer(200, gzip.compress(b"\0" * 5_000_000), Content_Encoding="gzip")

    def answer_badgzip(self) -> None:
        self.answer(200, b"no gzip at all", Content_Encoding="gzip")

    def answer_truncated(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"only this")
        self.close_connection = True

    def answer_garbage(self) -> None:
        self.wfile.write(b"220 mail.example.com ESMTP\r\n\r\n")
        self.close_connection = True

    def answer_manyheaders(self) -> None:
        self.answer(200, b"", **{f"X_{number}": "a" for number in range(200)})

    def answer_badchunks(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n")
        self.close_connection = True

    def answer_dropped(self) -> None:
        self.close_connection = True

    def answer_reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True
        os.close(self.connection.detach())

    def answer_hang(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.recv(1)  # until the other side has had enough

    def answer_trickleheaders(self) -> None:
        self._trickle(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 40)

    def answer_trickle(self) -> None:
        self._trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + b"x" * 400)

    def _trickle(self, content: bytes) -> None:
        self.close_connection = True
        try:
            for position in range(len(content)):
                self.wfile.write(content[position : position + 1])
                self.wfile.flush()
                time.sleep(0.02)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        pass

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            return


class Listening(ThreadingHTTPServer):
    daemon_threads = True
    tls: ssl.SSLContext | None = None

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what these tests are about."""

    def finish_request(self, request: object, client_address: object) -> None:
        """Shake hands in the connection's own thread, so that a client that never does holds up nobody."""
        assert isinstance(request, socket.socket)
        sock = request
        try:
            if self.tls is not None:
                sock = self.tls.wrap_socket(request, server_side=True)
            super().finish_request(sock, client_address)
        except OSError:
            return
        finally:
            sock.close()


@dataclass(frozen=True)
class Certificates:
    """An authority, and what it signed for `shop.test` and 127.0.0.1."""

    client: ssl.SSLContext
    server: ssl.SSLContext


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder: Path = tmp_path_factory.mktemp("certificates")
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
    began = datetime.now(UTC) - timedelta(days=1)

    def builder(name: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public_key)
        made = made.serial_number(x509.random_serial_number())
        return made.not_valid_before(began).not_valid_after(began + timedelta(days=9))

    authority = (
        builder(issuer, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.DNSName("shop.test"), x509.IPAddress(ip_address("127.0.0.1"))])
    leaf = (
        builder(x509.Name([]), key.public_key())
        .add_extension(names, critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key_text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(key_text + leaf.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    client = ssl.create_default_context(cadata=authority.public_bytes(pem).decode())
    return Certificates(client=client, server=server)


@pytest.fixture
def listen() -> Iterator[Callable[[ssl.SSLContext | None], Server]]:
    running: list[Listening] = []

    def start(tls: ssl.SSLContext | None) -> Server:
        seen: list[Received] = []
        http = Listening(("127.0.0.1", 0), type("Bound", (Answering,), {"seen": seen}))
        http.tls = tls
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        running.append(http)
        return Server(http.server_port, seen)

    yield start
    for http in running:
        http.shutdown()
        http.server_close()


@pytest.fixture
def shop(listen: Callable[[ssl.SSLContext | None], Server], certificates: Certificates) -> Server:
    return listen(certificates.server)


@pytest.fixture
def net(shop: Server, certificates: Certificates) -> Net:
    return opened_for(shop, certificates)


def opened_for(shop: Server, certificates: Certificates, sandbox_url: str | None = None) -> Net:
    allowed = [f"shop.test:{shop.port}", f"127.0.0.1:{shop.port}", f"other.test:{shop.port}"]
    return Net(sandbox_url, "Patchbay/1", allowed, resolve=lambda _host, _s: ["127.0.0.1"], tls=certificates.client)


def get(net: Net, shop: Server, path: str, *, timeout_s: float = 30.0, max_bytes: int = 1_000_000) -> bytes:
    url = f"https://shop.test:{shop.port}/{path}?access_token={SECRET}"
    return net.send(Outgoing("GET", url, timeout_s=timeout_s, max_bytes=max_bytes)).body


def test_answer_comes_back_whole(net: Net, shop: Server) -> None:
    url = f"https://shop.test:{shop.port}/a"

    reply = net.send(Outgoing("GET", url, params={"page": "2"}))

    assert (reply.status, reply.body, reply.url) == (200, b"fine", url + "?page=2")
    assert reply.headers["x-request-ID"] == "r1"
    assert 0 <= reply.elapsed_ms < 5000


def test_name_is_kept_for_host_and_agent_is_named(net: Net, shop: Server) -> None:
    get(net, shop, "a")

    headers = shop.received[0].headers
    assert headers["Host"] == f"shop.test:{shop.port}"
    assert headers["User-Agent"] == "Patchbay/1"


def test_connection_is_used_again(net: Net, shop: Server) -> None:
    for _ in range(3):
        get(net, shop, "a")

    assert len({seen.peer_port for seen in shop.received}) == 1


def test_connections_are_shared_by_threads(net: Net, shop: Server) -> None:
    with ThreadPoolExecutor(4) as threads:
        bodies = list(threads.map(lambda _: get(net, shop, "a"), range(40)))

    assert bodies == [b"fine"] * 40
    assert len({seen.peer_port for seen in shop.received}) <= 4


def test_cookies_are_neither_kept_nor_sent(net: Net, shop: Server) -> None:
    get(net, shop, "a")
    get(net, shop, "a")

    assert "Cookie" not in shop.received[1].headers


def test_proxies_and_netrc_of_the_environment_are_not_used(
    net: Net, shop: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine shop.test login ada password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    get(net, shop, "a")

    assert "Authorization" not in shop.received[0].headers


def test_redirect_is_returned_and_not_followed(net: Net, shop: Server) -> None:
    reply = net.send(Outgoing("GET", f"https://shop.test:{shop.port}/moved"))

    assert (reply.status, reply.headers["Location"]) == (302, "https://169.254.169.254/latest/meta-data")
    assert len(shop.received) == 1


def test_answer_308_of_a_resumable_upload_is_an_answer(net: Net, shop: Server) -> None:
    url = f"https://shop.test:{shop.port}/resume"

    reply = net.send(Outgoing("PUT", url, content=b"x" * 100, headers={"Content-Range": "bytes 0-99/200"}))

    assert (reply.status, reply.headers["range"]) == (308, "bytes=0-99")


def test_json_form_and_files_arrive(net: Net, shop: Server) -> None:
    url = f"https://shop.test:{shop.port}/a"

    net.send(Outgoing("POST", url, json={"q": "ü"}))
    net.send(Outgoing("POST", url, form=[("key", "v w")]))
    net.send(
        Outgoing("POST", url, form={"key": "v"}, files=[FilePart(field="file", filename="a.png", content=b"\x89PNG")])
    )

    as_json, as_form, as_parts = shop.received
    assert json.loads(as_json.body) == {"q": "ü"}
    assert (as_form.headers["Content-Type"], as_form.body) == ("application/x-www-form-urlencoded", b"key=v+w")
    assert as_parts.body.index(b'name="key"') < as_parts.body.index(b'name="file"; filename="a.png"')


def test_stream_of_unknown_length_is_sent_chunked(net: Net, shop: Server) -> None:
    net.send(Outgoing("PUT", f"https://shop.test:{shop.port}/a", content=iter([b"one", b"two"])))

    assert shop.received[0].body == b"onetwo"
    assert "Content-Length" not in shop.received[0].headers


def test_stream_of_stated_length_is_sent_plain(net: Net, shop: Server) -> None:
    url = f"https://shop.test:{shop.port}/a"

    net.send(Outgoing("PUT", url, content=iter([b"one", b"two"]), headers={"content-length": "6"}))

    assert shop.received[0].body == b"onetwo"
    assert "Transfer-Encoding" not in shop.received[0].headers


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "ключ", "a\0b"])
def test_header_value_that_cannot_be_sent_is_refused(net: Net, shop: Server, value: str) -> None:
    with pytest.raises(Invalid):
        net.send(Outgoing("GET", f"https://shop.test:{shop.port}/a", headers={"X-Key": value}))

    assert shop.received == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("truncated", "answer cut short"),
        ("dropped", "connection closed without an answer"),
        ("reset", "connection (reset|closed without an answer)"),
        ("garbage", "answer is not HTTP"),
        ("manyheaders", "answer is not HTTP"),
        ("badchunks", "answer cut short"),
        ("badgzip", "could not be decompressed"),
    ],
)
def test_broken_answer_is_a_network_error(net: Net, shop: Server, path: str, reason: str) -> None:
    with pytest.raises(NetworkError, match=reason) as failed:
        get(net, shop, path)

    assert_tells_no_secret(failed.value)


@pytest.mark.parametrize("path", ["hang", "trickleheaders", "trickle"])
def test_slow_answer_ends_at_the_total_limit(net: Net, shop: Server, path: str) -> None:
    began = time.monotonic()

    with pytest.raises(NetworkError, match=r"no complete answer within 0\.4 s") as failed:
        get(net, shop, path, timeout_s=0.4)

    assert time.monotonic() - began < 7  # what trickles takes 8 seconds and more
    assert_tells_no_secret(failed.value)


def test_slow_upload_ends_at_the_total_limit(net: Net, shop: Server) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            time.sleep(0.02)
            yield b"x" * 1000

    with pytest.raises(NetworkError, match="no complete answer within"):
        net.send(Outgoing("PUT", f"https://shop.test:{shop.port}/a", content=endless(), timeout_s=0.3))


def test_large_answer_is_cut_off(net: Net, shop: Server) -> None:
    with pytest.raises(NetworkError, match="answer larger than 1000 bytes") as failed:
        get(net, shop, "big", max_bytes=1000)

    assert_tells_no_secret(failed.value)


def test_small_answer_that_unpacks_to_a_large_one_is_cut_off(net: Net, shop: Server) -> None:
    with pytest.raises(NetworkError, match="answer larger than 1000000 bytes"):
        get(net, shop, "bomb")


def test_connection_works_again_after_a_failure(net: Net, shop: Server) -> None:
    with pytest.raises(NetworkError):
        get(net, shop, "big", max_bytes=1000)

    assert get(net, shop, "a") == b"fine"


def test_head_leaves_the_connection_usable(net: Net, shop: Server) -> None:
    for _ in range(2):
        net.send(Outgoing("HEAD", f"https://shop.test:{shop.port}/big"))

    assert shop.received[0].peer_port == shop.received[1].peer_port


def test_nobody_listening_is_a_network_error(certificates: Certificates) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = Server(free.getsockname()[1])

    with pytest.raises(NetworkError, match=r"shop\.test: connection refused"):
        get(opened_for(nobody, certificates), nobody, "a")


def test_unknown_name_is_a_network_error(certificates: Certificates) -> None:
    def knows_nobody(host: str, _timeout_s: float) -> Sequence[str]:
        raise NetworkError(f"{host}: name not found")

    with pytest.raises(NetworkError, match="name not found"):
        Net(None, "Patchbay", resolve=knows_nobody).send(Outgoing("GET", "https://shop.example.com/"))


def test_certificate_of_another_name_is_refused(net: Net, shop: Server) -> None:
    with pytest.raises(NetworkError, match=r"other\.test: certificate refused \(Hostname mismatch"):
        net.send(Outgoing("GET", f"https://other.test:{shop.port}/"))

    assert shop.received == []


def test_certificate_of_an_unknown_authority_is_refused(shop: Server) -> None:
    trusting_the_public = Net(None, "Patchbay", [f"shop.test:{shop.port}"], resolve=lambda _host, _s: ["127.0.0.1"])

    with pytest.raises(NetworkError, match="certificate refused"):
        get(trusting_the_public, shop, "a")


def test_certificate_of_an_address_is_checked_as_one(net: Net, shop: Server) -> None:
    reply = net.send(Outgoing("GET", f"https://127.0.0.1:{shop.port}/"))

    assert reply.status == 200


def test_server_without_tls_is_a_network_error(
    listen: Callable[[ssl.SSLContext | None], Server], certificates: Certificates
) -> None:
    plain = listen(None)

    with pytest.raises(NetworkError, match="no TLS connection"):
        get(opened_for(plain, certificates), plain, "a")


def test_server_that_never_shakes_hands_is_a_network_error(certificates: Certificates) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = Server(silent.getsockname()[1])

        with pytest.raises(NetworkError, match="no complete answer within"):
            get(opened_for(mute, certificates), mute, "a", timeout_s=0.3)


def test_provider_host_that_resolves_to_a_private_address_is_blocked() -> None:
    net = Net(None, "Patchbay", resolve=lambda _host, _s: ["10.0.0.1"])

    with pytest.raises(AddressBlocked):
        net.send(Outgoing("GET", "https://api.example.com/"))


def test_name_that_turns_private_after_the_check_is_blocked() -> None:
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    net = Net(None, "Patchbay", resolve=lambda _host, _s: next(answers))

    net.check_address("https://turning.example.com/h")

    with pytest.raises(AddressBlocked):
        net.fetch_public("https://turning.example.com/h", max_bytes=10)


def test_name_is_resolved_once_per_connection(shop: Server, certificates: Certificates) -> None:
    asked: list[str] = []

    def rebinding(host: str, _timeout_s: float) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    net = Net(None, "Patchbay", ["127.0.0.1/32", f"shop.test:{shop.port}"], resolve=rebinding, tls=certificates.client)

    assert get(net, shop, "a") == b"fine"
    assert asked == ["shop.test"]


def test_every_new_connection_is_checked_again(shop: Server, certificates: Certificates) -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    net = Net(
        None, "Patchbay", [f"shop.test:{shop.port}"], resolve=lambda _host, _s: next(answers), tls=certificates.client
    )
    with pytest.raises(NetworkError):
        get(net, shop, "dropped")

    with pytest.raises(AddressBlocked):
        get(net, shop, "a")


def test_next_address_is_tried_when_the_first_is_dead(shop: Server) -> None:
    with limit(2.0), dial("shop.test", ["127.0.0.9", "127.0.0.1"], shop.port) as connected:
        assert connected.getpeername()[0] == "127.0.0.1"


def test_public_fetch_sends_what_it_accepts(net: Net, shop: Server) -> None:
    reply = net.fetch_public(f"https://shop.test:{shop.port}/a", max_bytes=100, accept=("image/png", "image/webp"))

    assert reply.status == 200
    assert shop.received[0].headers["Accept"] == "image/png, image/webp"


def test_public_fetch_follows_no_redirect(net: Net, shop: Server) -> None:
    reply = net.fetch_public(f"https://shop.test:{shop.port}/moved", max_bytes=100)

    assert (reply.status, len(shop.received)) == (302, 1)


@pytest.mark.parametrize("url", ["http://shop.example.com/", "shop.example.com", "https:///a", "", "https://a b.com/"])
def test_request_to_no_proper_https_address_is_blocked(net: Net, url: str) -> None:
    with pytest.raises(AddressBlocked):
        net.send(Outgoing("GET", url))


def test_declared_host_is_served_by_the_sandbox(
    shop: Server, certificates: Certificates, listen: Callable[[ssl.SSLContext | None], Server]
) -> None:
    sandbox = listen(None)
    net = opened_for(shop, certificates, f"http://localhost:{sandbox.port}/")
    url = "https://demo-shop.myshopify.com/admin/api/x.json?limit=5&a=%20b"

    reply = net.send(Outgoing("GET", url), sandboxed_hosts=("*.myshopify.com", "cdn.shopify.com"))

    assert reply.url == url
    assert sandbox.received[0].path == "/demo-shop.myshopify.com/admin/api/x.json?limit=5&a=%20b"


def test_undeclared_host_never_reaches_the_sandbox(
    listen: Callable[[ssl.SSLContext | None], Server],
) -> None:
    sandbox = listen(None)
    net = Net(f"http://localhost:{sandbox.port}", "Patchbay", resolve=lambda _host, _s: ["10.0.0.1"])

    for url in [
        "https://evil.example.com/",
        "https://demo.myshopify.com.example.com/",
        "https://a@demo.myshopify.com/",
    ]:
        with pytest.raises(AddressBlocked):
            net.send(Outgoing("GET", url), sandboxed_hosts=("*.myshopify.com",))

    assert sandbox.received == []


def test_user_supplied_address_never_reaches_the_sandbox(listen: Callable[[ssl.SSLContext | None], Server]) -> None:
    sandbox = listen(None)
    net = Net(f"http://localhost:{sandbox.port}", "Patchbay", resolve=lambda _host, _s: ["127.0.0.1"])

    for url in [
        "https://demo.myshopify.com/",
        f"https://localhost:{sandbox.port}/",
        f"http://localhost:{sandbox.port}/",
    ]:
        with pytest.raises(AddressBlocked):
            net.fetch_public(url, max_bytes=10)

    assert sandbox.received == []


def test_browser_address_leads_to_the_sandbox_only_while_it_is_on() -> None:
    url = "https://demo.myshopify.com/admin/oauth/authorize?client_id=a&state=b"
    hosts = ("*.myshopify.com",)

    assert Net(None, "Patchbay").browser_address(url, hosts) == url
    assert Net("http://localhost:8001", "Patchbay").browser_address(url, hosts) == (
        "http://localhost:8001/demo.myshopify.com/admin/oauth/authorize?client_id=a&state=b"
    )


def test_session_of_another_library_goes_through_the_same_door(net: Net, shop: Server) -> None:
    with requests.Session() as session:
        session.mount("https://", net.adapter())

        answer = session.post(f"https://shop.test:{shop.port}/a", data={"grant_type": "refresh_token"})
        with pytest.raises(AddressBlocked):
            session.get("https://10.0.0.1/")
        with pytest.raises(NetworkError, match="no complete answer"):
            session.get(f"https://shop.test:{shop.port}/hang", timeout=0.2)
        with pytest.raises(AddressBlocked):
            session.get(f"https://shop.test:{shop.port}/moved")

    assert (answer.status_code, answer.text) == (200, "fine")
    assert get(net, shop, "a") == b"fine"


def test_session_of_another_library_reaches_the_sandbox(
    shop: Server, certificates: Certificates, listen: Callable[[ssl.SSLContext | None], Server]
) -> None:
    sandbox = listen(None)
    net = opened_for(shop, certificates, f"http://localhost:{sandbox.port}")
    with requests.Session() as session:
        session.mount("https://", net.adapter(("oauth2.googleapis.com",)))

        answer = session.post("https://oauth2.googleapis.com/token", data={"code": "c"})

    assert (answer.url, answer.text) == ("https://oauth2.googleapis.com/token", "fine")
    assert sandbox.received[0].path == "/oauth2.googleapis.com/token"


def test_recorded_answers_can_stand_in_for_the_network() -> None:
    with responses.RequestsMock() as recorded:
        recorded.get("https://api.example.com/items", json={"items": []}, headers={"X-Page": "1"})
        recorded.get("https://api.example.com/gone", body=requests.ConnectionError(f"token={SECRET}"))
        net = Net(None, "Patchbay")

        reply = net.send(Outgoing("GET", "https://api.example.com/items"))
        with pytest.raises(NetworkError) as failed:
            net.send(Outgoing("GET", "https://api.example.com/gone"))

    assert (reply.body, reply.headers["x-page"]) == (b'{"items": []}', "1")
    assert_tells_no_secret(failed.value)


def test_forked_child_makes_connections_of_its_own(net: Net, shop: Server) -> None:
    get(net, shop, "a")

    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if get(net, shop, "a") == b"fine" else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    get(net, shop, "a")

    first, of_child, last = (seen.peer_port for seen in shop.received)
    assert os.waitstatus_to_exitcode(status) == 0
    assert first == last != of_child


def test_requests_and_replies_show_no_secret_in_their_repr(net: Net, shop: Server) -> None:
    outgoing = Outgoing("GET", f"https://shop.test:{shop.port}/a?t={SECRET}", headers={"Authorization": SECRET})

    reply = net.send(outgoing)

    assert SECRET not in repr(outgoing) + repr(reply)


def assert_tells_no_secret(failure: BaseException) -> None:
    told = repr(failure) + str(failure) + repr(failure.__cause__) + repr(failure.__context__)
    assert SECRET not in told
    assert "access_token" not in told
