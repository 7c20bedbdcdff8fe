"""What is published: a wheel and a source archive that hold what the program reads, and that an index takes."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both archives of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def _data() -> set[str]:
    """Every file of the package that is no code, as an archive names it."""
    files = (path for path in (ROOT / "deepsel").rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}


def test_both_archives_are_what_an_index_takes(built: Path) -> None:
    """The description renders, the metadata is whole."""
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *map(str, built.iterdir())], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_every_file_of_the_package(built: Path) -> None:
    """Vocabularies, prices and templates as well as code, and the licences."""
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert _data() <= names
    assert any(name.endswith("licenses/NOTICE") for name in names)


def test_the_source_archive_can_be_tested(built: Path) -> None:
    """It holds the tests and what they read."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert _data() <= names
    assert {"tests/conftest.py", "README.md", "CHANGELOG.md", "profiles.toml.example", "docs/jobs.md", "pyproject.toml"} <= names


def test_the_wheel_runs_by_itself(built: Path, tmp_path: Path) -> None:
    """Unpacked apart from this checkout, on the same dependencies, it answers from the demo by a shipped template."""
    (wheel,) = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = "import sys, deepsel; print(deepsel.__file__); sys.argv[0] = 'deepsel'; from deepsel.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "-p", "demo", "-t", "summary", "Some words"],
        env={"PYTHONPATH": str(tmp_path / "site"), "DEEPSEL_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "site"))
    assert "simulated" in done.stdout
