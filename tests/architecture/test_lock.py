"""The lock files: every package pinned and hashed, and no host named from which they come."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PYTHON_LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")
NPM_FOLDERS = (".", "tests/conformance")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def lines_of(name: str) -> list[str]:
    """The lock's requirements, each joined with its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_every_python_package_is_pinned_and_hashed(lock: str) -> None:
    lines = lines_of(lock)

    assert lines
    for line in lines:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize(
    "lock",
    [*PYTHON_LOCKS, *(f"{folder}/{name}" for folder in NPM_FOLDERS for name in ("package-lock.json", "package.json"))],
)
def test_no_lock_names_a_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_what_the_project_needs_is_locked(lock: str) -> None:
    locked = {name_of(line) for line in lines_of(lock)}
    wanted = PROJECT["dependencies"] + (PROJECT["optional-dependencies"]["dev"] if "dev" in lock else [])

    assert {name_of(requirement) for requirement in wanted} <= locked


def test_both_locks_agree_on_the_versions_of_what_they_share() -> None:
    run, dev = (
        {name_of(line): line.split("==")[1].split()[0] for line in lines_of(lock)}
        for lock in ("requirements.lock", "requirements-dev.lock")
    )

    assert {name: dev.get(name) for name in run} == run


@pytest.mark.parametrize("folder", NPM_FOLDERS)
def test_every_npm_package_is_pinned_and_hashed(folder: str) -> None:
    packages = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    installed = {name: package for name, package in packages.items() if name}
    assert installed
    for name, package in installed.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_both_npm_folders_are_installed_by_the_same_rules() -> None:
    first, *others = [(ROOT / folder / ".npmrc").read_text(encoding="utf-8") for folder in NPM_FOLDERS]

    assert others == [first]
