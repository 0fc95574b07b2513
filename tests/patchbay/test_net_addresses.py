"""Which addresses may be fetched; the list of hostile ones is numbered as in the requirements for the egress filter."""

import ipaddress
import socket
import time
from collections.abc import Sequence

import pytest

from patchbay.errors import AddressBlocked, NetworkError, SettingsError
from patchbay.net import Net
from patchbay.net.addresses import parse
from patchbay.net.guard import is_own, resolve_with_system

NAMES = {
    "example.com": ["93.184.215.14"],
    "both.example.com": ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "xn--mnchen-3ya.example": ["93.184.215.14"],
    "metadata.google.internal": ["169.254.169.254"],
    "loopback.example.com": ["127.0.0.1"],
    "loopback6.example.com": ["::1"],
    "alias.example.com": ["10.3.2.1"],
    "mixed.example.com": ["93.184.215.14", "10.0.0.1"],
    "redis": ["10.0.0.7"],
    "db": ["93.184.215.14"],
    "postgres": ["93.184.215.14"],
    "printer.local": ["93.184.215.14"],
    "vault.internal": ["93.184.215.14"],
    "app.localhost": ["93.184.215.14"],
    "hub.example.org": ["93.184.215.15"],
    "nas.lan": ["192.168.1.5"],
    "sneaky.example.com": ["169.254.169.254"],
}

HOSTILE = {
    1: "127.0.0.1",
    2: "localhost",
    3: "LOCALHOST",
    4: "localhost.",
    5: "127.0.0.1.",
    6: "127.1",
    7: "127.0.1",
    8: "2130706433",
    9: "0x7f000001",
    10: "0x7f.0.0.1",
    11: "0177.0.0.1",
    12: "017700000001",
    13: "127.0.0.01",
    14: "0",
    15: "0.0.0.0",  # noqa: S104 - an address to refuse, nothing binds to it
    16: "0000.0.0.0",
    17: "127.255.255.254",
    18: "[::1]",
    19: "[::]",
    20: "[0:0:0:0:0:0:0:1]",
    21: "[::ffff:127.0.0.1]",
    22: "[::ffff:7f00:1]",
    23: "[0:0:0:0:0:ffff:a9fe:a9fe]",
    24: "[::127.0.0.1]",
    241: "[::ffff:0:7f00:1]",
    25: "[64:ff9b::7f00:1]",
    26: "[64:ff9b:1::a00:1]",
    27: "[2002:7f00:1::]",
    28: "[2002:a9fe:a9fe::1]",
    29: "[2001:0:4136:e378:8000:63bf:3f57:fdf2]",
    30: "[fe80::1]",
    31: "[fe80::1%25eth0]",
    32: "[fc00::1]",
    33: "[fd00:ec2::254]",
    34: "[fec0::1]",
    35: "[ff02::1]",
    36: "[5f00::1]",
    37: "[3fff::1]",
    38: "169.254.169.254",
    39: "2852039166",
    40: "0xa9fea9fe",
    41: "0251.0376.0251.0376",
    42: "metadata.google.internal",
    43: "100.100.100.200",
    44: "168.63.129.16",
    45: "10.0.0.1",
    46: "172.16.0.1",
    47: "172.31.255.255",
    48: "192.168.0.1",
    49: "100.64.0.1",
    50: "192.0.0.8",
    51: "198.18.0.1",
    52: "224.0.0.1",
    53: "240.0.0.1",
    54: "255.255.255.255",
    55: "①②⑦.⓪.⓪.①",
    56: "127。0。0。1",
    57: "ⓛocalhost",
    58: "ｌｏｃａｌｈｏｓｔ",
    59: "127%2e0%2e0%2e1",
    60: "example.com@127.0.0.1",
    61: "user:pw@example.com",
    62: "127.0.0.1\\@example.com",
    63: "example.com#@127.0.0.1",
    64: "127.0.0.1:80\\.example.com",
    65: "127.0.0.1%00.example.com",
    66: "exa\tmple.com",
    67: "a.com\r\nX: y",
    68: "1.1.1.1 &@127.0.0.1# @3.3.3.3",
    69: "http:///127.0.0.1",
    70: "http:127.0.0.1",
    71: "//127.0.0.1",
    72: "file:///etc/passwd",
    73: "gopher://127.0.0.1:6379/_x",
    74: "ftp://a.com",
    75: "unix:/run/x.sock",
    76: "example.com:22",
    77: "example.com:6379",
    78: "example.com:0",
    79: "example.com:99999",
    80: "loopback.example.com",
    81: "loopback6.example.com",
    82: "alias.example.com",
    83: "mixed.example.com",
    88: "redis",
    881: "db",
    882: "postgres",
    89: "printer.local",
    891: "vault.internal",
    892: "app.localhost",
    90: "hub.example.org",
}
WHOLE_URLS = range(69, 76)

WELCOME = [
    "https://example.com/h",
    "https://both.example.com/h",
    "https://EXAMPLE.com./h?a=b",
    "https://example.com:8443/h",
    "https://münchen.example/h",
    "https://[2606:4700:4700::1111]/",
    "https://100.63.255.254/",
    "https://100.128.0.1/",
    "https://172.15.0.1/",
    "https://172.32.0.1/",
    "https://169.253.0.1/",
    "https://198.17.0.1/",
    "https://11.0.0.1/",
]


def known_names(host: str, _timeout_s: float) -> Sequence[str]:
    if host not in NAMES:
        raise NetworkError(f"{host}: name not found")
    return NAMES[host]


def net(*allowed: str) -> Net:
    return Net(None, "Patchbay", allowed, own_hosts=["hub.example.org"], resolve=known_names)


def written_out(number: int, scheme: str) -> str:
    return HOSTILE[number] if number in WHOLE_URLS else f"{scheme}://{HOSTILE[number]}/h"


@pytest.mark.parametrize("number", HOSTILE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_hostile_address_is_refused(number: int, scheme: str) -> None:
    url = written_out(number, scheme)

    with pytest.raises(AddressBlocked) as refused:
        net().check_address(url)

    assert refused.value.detail == "address not allowed"


@pytest.mark.parametrize("number", HOSTILE)
def test_hostile_address_is_refused_at_the_request_too(number: int) -> None:
    with pytest.raises(AddressBlocked):
        net().fetch_public(written_out(number, "https"), max_bytes=10)


@pytest.mark.parametrize("url", WELCOME)
def test_public_address_passes(url: str) -> None:
    net().check_address(url)

    assert parse(url).scheme == "https"


def test_plain_http_is_refused_even_for_a_public_name() -> None:
    with pytest.raises(AddressBlocked):
        net().check_address("http://example.com/h")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com:/h",
        "https://example..com/h",
        "https://.example.com/h",
        "https://-a.example.com/h",
        "https://example.com/ü",
        "https://example.com/\x7f",
        "https://[::1/h",
        "https://[1.2.3.4]/h",
        "https://1.2.3.4.5/h",
        "https://example.0x1f/h",
        "https://" + "a" * 64 + ".com/h",
        "https://" + "a." * 130 + "com/h",
        "https://example.com/" + "a" * 9000,
        "https://",
        "",
    ],
)
def test_address_that_can_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(AddressBlocked):
        parse(url)


def test_address_is_written_in_one_way() -> None:
    address = parse("HTTPS://MÜNCHEN.Example.:443?q=1")

    assert address.url == "https://xn--mnchen-3ya.example/?q=1"


def test_bracketed_address_keeps_its_brackets_and_port() -> None:
    address = parse("https://[2606:4700:4700:0::1111]:8443/x")

    assert address.url == "https://[2606:4700:4700::1111]:8443/x"


def test_unknown_name_is_refused_when_saved() -> None:
    with pytest.raises(AddressBlocked):
        net().check_address("https://nowhere.example.com/h")


def test_cidr_opens_its_addresses() -> None:
    net("192.168.1.0/24").check_address("https://192.168.1.5/h")

    with pytest.raises(AddressBlocked):
        net("192.168.1.0/24").check_address("https://192.168.2.5/h")


def test_cidr_opens_no_further_port() -> None:
    with pytest.raises(AddressBlocked):
        net("192.168.1.0/24").check_address("https://192.168.1.5:9000/h")


def test_host_and_port_open_that_port_alone() -> None:
    opened = net("nas.lan:9000")

    opened.check_address("https://nas.lan:9000/h")

    with pytest.raises(AddressBlocked):
        opened.check_address("https://nas.lan/h")


@pytest.mark.parametrize("entry", ["169.254.0.0/16", "0.0.0.0/0", "sneaky.example.com:443"])
def test_metadata_address_stays_shut_behind_a_wide_opening(entry: str) -> None:
    with pytest.raises(AddressBlocked):
        net(entry).check_address("https://sneaky.example.com/h")


@pytest.mark.parametrize("entry", ["169.254.169.254", "169.254.169.254/32", "169.254.169.254:443"])
def test_metadata_address_opens_when_listed_singly(entry: str) -> None:
    net(entry).check_address("https://169.254.169.254/h")

    with pytest.raises(AddressBlocked):
        net().check_address("https://169.254.169.254/h")


@pytest.mark.parametrize("entry", ["nas.lan", "nas.lan:0x50", "10.0.0.0/99", "https://nas.lan:90"])
def test_opening_that_is_neither_cidr_nor_host_and_port_stops_the_start(entry: str) -> None:
    with pytest.raises(SettingsError):
        net(entry)


def test_own_address_is_known() -> None:
    assert is_own(ipaddress.ip_address("127.0.0.1"))
    assert not is_own(ipaddress.ip_address("93.184.215.14"))


def test_system_resolver_finds_localhost() -> None:
    found = resolve_with_system("localhost", 5.0)

    assert {"127.0.0.1", "::1"} & set(found)


def test_system_resolver_reports_a_name_that_cannot_be() -> None:
    with pytest.raises(NetworkError, match="name not found"):
        resolve_with_system("a" * 70 + ".invalid", 5.0)


def test_system_resolver_is_waited_for_no_longer_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_args: object, **_options: object) -> list[object]:
        time.sleep(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    with pytest.raises(NetworkError, match="name not resolved within"):
        resolve_with_system("slow.example.com", 0.05)
