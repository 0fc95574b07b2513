"""What is installed is locked: exact versions, hashes, and no word of where it comes from.

How it is installed is in the Makefile and scripts/.
"""

import hashlib
import json
import re
from pathlib import Path

import pytest

from patchbay.settings import ROOT
from scripts import npm, vendor

PYTHON_LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-node.lock"]
LOCKS = [*PYTHON_LOCKS, "package-lock.json"]


def _versions(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", "\n".join(lines), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_every_python_package_is_pinned_with_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]

    assert requirements
    assert [
        line for line in requirements if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+.* --hash=sha256:[0-9a-f]{64}", line)
    ] == []


def test_tests_run_with_the_versions_that_run_in_production() -> None:
    tested = _versions("requirements-dev.lock")

    assert {name: tested.get(name) for name in _versions("requirements.lock")} == _versions("requirements.lock")


def test_the_npm_lock_has_a_hash_and_no_origin_for_every_package() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    installed = {name: package for name, package in packages.items() if name}

    assert installed
    assert all(package["integrity"].startswith("sha512-") for package in installed.values())
    assert not any("resolved" in package for package in installed.values())


def test_npm_packages_are_asked_for_by_exact_version() -> None:
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]

    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())


def test_vendored_files_are_named_with_licence_and_hash(tmp_path: Path) -> None:
    vendored = vendor.copy_all(tmp_path / "vendor", ["shopify", "no-such-logo"])
    readme = (tmp_path / "vendor" / "README.md").read_text(encoding="utf-8")

    assert {one.path.name for one in vendored} == {*vendor.FILES, "shopify.svg", "logos.svg"}
    for one in vendored:
        digest = hashlib.sha256(one.path.read_bytes()).hexdigest()
        assert f"| {one.package} | {one.version} | {one.licence} | {digest} |" in readme


def test_the_sprite_holds_each_logo_under_its_name(tmp_path: Path) -> None:
    icon = tmp_path / "acme.svg"
    icon.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M0 0h24v24z"/></svg>', "utf-8"
    )

    sprite = vendor.sprite([icon])

    assert '<symbol id="acme" viewBox="0 0 24 24" fill="currentColor"><path d="M0 0h24v24z"/></symbol>' in sprite


def test_logos_of_all_providers_are_served_where_simple_icons_has_them() -> None:
    drawn = {path.stem for path in (ROOT / "static" / "vendor" / "logos").glob("*.svg")}

    assert drawn == {name for name in vendor.logos_named() if vendor.has_logo(name)}


@pytest.mark.parametrize(
    ("present", "expected"), [({"a": "1.0.0", "b": "2.0.0"}, True), ({"a": "1.0.0", "b": "2.0.1"}, False), ({}, False)]
)
def test_packages_are_installed_when_each_has_the_version_of_the_lock(
    tmp_path: Path, present: dict[str, str], expected: bool
) -> None:
    locked = {"": {}, "node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "2.0.0"}}
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": locked}), "utf-8")
    for name, version in present.items():
        (tmp_path / "node_modules" / name).mkdir(parents=True)
        (tmp_path / "node_modules" / name / "package.json").write_text(json.dumps({"version": version}), "utf-8")

    assert npm.is_installed(tmp_path) is expected
