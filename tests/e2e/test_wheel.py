"""What is installed: the package with its data, and nothing beside it."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from counselgraph import __version__
from tests.e2e.helpers import ROOT, environment

LINKS = ("agents", "graphs", "memory", "personas")
DATA = {".yaml", ".md", ".css", ".typed"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the wheel and the source distribution."""
    place = tmp_path_factory.mktemp("dist")
    for kind in ("wheel", "sdist"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(place)]
        subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, check=True)
    return place


def wheel_of(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


def source_files() -> set[str]:
    """What of the package is in the repository, as paths from its root."""
    found = (ROOT / "counselgraph").rglob("*")
    return {str(file.relative_to(ROOT)) for file in found if file.is_file() and "__pycache__" not in file.parts}


def test_the_wheel_installs_one_package_and_all_of_it(built: Path) -> None:
    with zipfile.ZipFile(wheel_of(built)) as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
    tops = {name.partition("/")[0] for name in names}
    info = f"counselgraph-{__version__}.dist-info"
    assert tops == {"counselgraph", info}
    assert {name for name in names if name.startswith("counselgraph/")} == source_files()
    assert f"{info}/licenses/LICENSE" in names
    assert {Path(name).suffix for name in names if Path(name).suffix in DATA} == DATA


def test_the_wheel_offers_the_command(built: Path) -> None:
    with zipfile.ZipFile(wheel_of(built)) as wheel:
        points = wheel.read(f"counselgraph-{__version__}.dist-info/entry_points.txt").decode()
    assert "counselgraph = counselgraph.cli:main" in points


def test_the_installed_package_works_away_from_the_repository(built: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel_of(built)) as wheel:  # a pure wheel is installed by unpacking it
        wheel.extractall(site)
    (site / "dependencies.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    result = subprocess.run(
        [tmp_path / "venv" / "bin" / "python", "-c", PROGRAM],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout.splitlines()[-1])
    assert Path(told["home"]).is_relative_to(site)
    assert told["personas"] > 10
    assert told["stops"] == {"completed": 1}


PROGRAM = """
import json
import counselgraph
from counselgraph import RunSpec, load_personas, run_sync
result = run_sync(RunSpec(personas="builtin/claire-moreau", memory="none", max_exchanges=5, out="out"))
personas = load_personas("builtin").personas
print(json.dumps({"home": counselgraph.__file__, "personas": len(personas), "stops": result.summary.stops}))
"""


def test_the_source_distribution_holds_the_package_once_and_builds_the_same_wheel(built: Path, tmp_path: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as sdist:
        members = sdist.getmembers()
        # Older 3.11 has no filters; newer Python warns without one.
        options: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        sdist.extractall(tmp_path, **options)
    top = f"counselgraph-{__version__}"
    names = {member.name.removeprefix(f"{top}/") for member in members if member.isfile()}
    assert not any(member.issym() or member.islnk() for member in members)
    assert not {name.partition("/")[0] for name in names} & set(LINKS)
    assert source_files() <= names
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=tmp_path / top, env=environment(), capture_output=True, check=True)
    with zipfile.ZipFile(wheel_of(tmp_path)) as one, zipfile.ZipFile(wheel_of(built)) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


@pytest.mark.parametrize("name", LINKS)
def test_the_links_at_the_top_lead_into_the_package(name: str) -> None:
    link = ROOT / name
    assert link.is_symlink()
    assert link.readlink() == Path("counselgraph") / name
    assert (link / "__init__.py").is_file()
