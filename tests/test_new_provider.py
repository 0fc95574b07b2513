"""`make new-provider`: what it writes is a provider that works at once, and it overwrites nothing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.new_provider import FILES, LONGEST, ROOT, NameRefused, write

PARTS = (
    "app.py",
    "pyproject.toml",
    "blueprints",
    "docs",
    "jobs",
    "patchbay",
    "sandbox",
    "scripts",
    "static",
    "templates",
)
TESTS = (
    "compiled.py",
    "conformance/recording.py",
    "conformance/witness.py",
    "conftest.py",
    "kept.py",
    "order.py",
    "servers.py",
    "stage.py",
    "providers/conftest.py",
    "providers/sample.py",
    "providers/test_conformance.py",
    "providers/trial.py",
)
NEW = "new-platform"
LONG = "a-long-name" + "x" * (LONGEST - len("a-long-name"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with three new providers in it."""
    root = tmp_path_factory.mktemp("tree")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / part, root / part)
    for name in TESTS:
        (root / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / "tests" / name, root / "tests" / name)
    for key in (NEW, "x1", LONG):
        done = tell(root, "-m", "scripts.new_provider", key)
        assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    assert not [path for path in tmp_path.rglob("*.py") if path.read_text()], "something was written"


def tell(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("COV_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *command], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


def files_of(*modules: str) -> list[str]:
    return [path.replace("$module", module) for module in modules for path in FILES if path.endswith(".py")]


def test_files_are_written_where_the_handbook_says(tree: Path) -> None:
    handbook = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

    for path in files_of("new_platform"):
        assert (tree / path).is_file()
        assert path.replace("new_platform", "acme") in handbook
    assert (tree / "tests/providers/fixtures/new_platform/items.json").is_file()


def test_files_are_formatted_and_linted_whatever_the_length_of_the_name(tree: Path) -> None:
    files = files_of("new_platform", "x1", LONG.replace("-", "_"))

    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = tell(tree, "-m", "ruff", *command, *files)
        assert done.returncode == 0, done.stdout


def test_files_are_strictly_typed(tree: Path) -> None:
    done = tell(tree, "-m", "mypy", "--strict", "--follow-imports=silent", *files_of("new_platform", "x1"))

    assert done.returncode == 0, done.stdout


def test_files_keep_the_import_contracts(tree: Path) -> None:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = tell(tree, "-c", command, "--no-cache")

    assert "0 broken" in done.stdout
    assert done.returncode == 0, done.stdout


def test_the_catalogue_shows_the_cards(tree: Path) -> None:
    (tree / "tests" / "test_cards.py").write_text(
        "def test_cards(client):\n"
        "    page = client.get('/integrations').get_data(as_text=True)\n"
        f"    assert all(f'id=\"card-{{key}}\"' in page for key in ({NEW!r}, 'x1', {LONG!r}))\n"
    )

    done = tell(tree, "-m", "pytest", "tests/test_cards.py")

    assert done.returncode == 0, done.stdout


def test_the_written_tests_pass_but_for_what_is_left_to_be_said(tree: Path) -> None:
    done = tell(tree, "-m", "pytest", "tests/providers", "-k", f"{NEW} or {NEW.replace('-', '_')}")

    failed = [line.partition("::")[2] for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert {name.partition("[")[0].partition(" ")[0] for name in failed} == {
        "test_facts_come_from_the_documents_of_the_platform",
        "test_the_sources_of_the_facts_are_named_with_a_date",
    }, done.stdout
    assert len(failed) == 2
    assert "name in `sources` the pages that the facts come from" in done.stdout


@pytest.mark.parametrize(
    "key",
    [
        "",
        "Acme",
        "acme_print",
        "-acme",
        "acme-",
        "ac--me",
        "1acme",
        "acmé",
        "../acme",
        "ac me",
        "acme\n",
        "a" * (LONGEST + 1),
        "$key",
    ],
)
def test_what_is_no_key_is_refused_in_one_line(empty: Path, key: str) -> None:
    with pytest.raises(NameRefused, match="is not a provider's key") as refused:
        write(key, empty)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("key", ["class", "import", "all", "get"])
def test_a_name_that_python_or_the_package_uses_is_refused(empty: Path, key: str) -> None:
    with pytest.raises(NameRefused, match="uses the name"):
        write(key, empty)


@pytest.mark.parametrize(
    "taken", ["patchbay/providers/acme.py", "sandbox/hosts/acme.py", "tests/providers/test_acme.py"]
)
def test_a_file_that_exists_is_not_overwritten(empty: Path, taken: str) -> None:
    (empty / taken).parent.mkdir(parents=True)
    (empty / taken).touch()

    with pytest.raises(NameRefused, match=f"acme exists already: {taken}"):
        write("acme", empty)


def test_a_provider_that_grew_into_a_folder_exists_too() -> None:
    with pytest.raises(NameRefused, match="shopify exists already: patchbay/providers/shopify"):
        write("shopify", ROOT)


def test_the_command_says_why_in_one_line_and_fails() -> None:
    done = tell(ROOT, "-m", "scripts.new_provider", "google-drive")

    assert done.returncode == 1
    assert done.stderr == "google-drive exists already: patchbay/providers/google_drive\n"
