"""Every page is executed: its blocks run, parse or load, and its links lead somewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from counselgraph import load_personas
from tests.e2e.helpers import ROOT, counselgraph, environment

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINKED = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "runs").glob("*.md"))]
_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>.+?) -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\]\((?!https?://|mailto:)(?P<path>[^)#\s]*)(?:#(?P<heading>[^)\s]*))?\)")

DRIVER = """
import json, subprocess, sys, types
page, blocks = json.load(sys.stdin)
module = sys.modules["page"] = types.ModuleType("page")
for language, line, code in blocks:
    print(f"--- {page}:{line}", flush=True)
    if language == "bash":
        subprocess.run(["bash", "-euo", "pipefail", "-c", code], stdin=subprocess.DEVNULL, check=True)
    else:
        exec(compile("\\n" * line + code, page, "exec"), module.__dict__)
"""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    language: str
    line: int
    code: str
    reason: str | None
    """Why it is not run, if it is not."""


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(found["language"], text.count("\n", 0, found.start("language")) + 1, found["code"], found["reason"])
        for found in _BLOCK.finditer(text)
    ]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def execute(page: Path, blocks: list[Block], place: Path) -> subprocess.CompletedProcess[str]:
    """Run Python and bash blocks in their order; Python blocks share a namespace, all share the folder."""
    told = [(block.language, block.line, without_activation(block.code)) for block in blocks]
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", DRIVER], input=json.dumps([name_of(page), told]), cwd=place,
        env=environment(), capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip


def without_activation(code: str) -> str:
    """The virtual environment of these tests is already on the path."""
    return "".join(line for line in code.splitlines(keepends=True) if not line.startswith("source "))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path) -> None:
    blocks = blocks_of(page)
    run = [block for block in blocks if block.language in {"bash", "python"} and block.reason is None]
    for block in blocks:
        check_data(page, block, tmp_path)
    if any("runs/demo" in block.code for block in run):
        demo = counselgraph("run", "--personas", "builtin/claire-moreau", "--out", "runs/demo", cwd=tmp_path)
        assert demo.returncode == 0, demo.stderr
    if run:
        result = execute(page, run, tmp_path)
        assert result.returncode == 0, result.stdout + result.stderr
        assert "Exception ignored" not in result.stderr


LEFT_OUT = [
    (f"{name_of(page)}:{block.line}", block.reason) for page in PAGES for block in blocks_of(page) if block.reason
]


@pytest.mark.parametrize("reason", [reason for _, reason in LEFT_OUT], ids=[place for place, _ in LEFT_OUT])
def test_a_block_that_is_left_out_says_why(reason: str) -> None:
    pytest.skip(reason)


def check_data(page: Path, block: Block, place: Path) -> None:
    """Check that a block of data is what its label says; the personas page shows whole personas."""
    match block.language:
        case "yaml" if page.name == "personas.md":
            (place / "shown.yaml").write_text(block.code, encoding="utf-8")
            assert len(load_personas(place / "shown.yaml").personas) == 1
        case "yaml":
            assert yaml.safe_load(block.code)
        case "toml":
            assert tomllib.loads(block.code)
        case "json":
            assert json.loads(block.code)


@pytest.mark.parametrize("page", LINKED, ids=name_of)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = re.sub(_BLOCK, "", page.read_text(encoding="utf-8"))
    for link in _LINK.finditer(text):
        target = (page.parent / link["path"]) if link["path"] else page
        assert target.exists(), f"{name_of(page)} links to {link['path']}, which is not there"
        if link["heading"]:
            assert link["heading"] in headings(target), f"{link['path']} has no heading #{link['heading']}"


def headings(page: Path) -> set[str]:
    """The anchors of a page as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_of_the_docs_is_linked_from_the_readme() -> None:
    linked = {link["path"] for link in _LINK.finditer((ROOT / "README.md").read_text(encoding="utf-8"))}
    assert {name_of(page) for page in PAGES if page.parent.name == "docs"} <= linked
