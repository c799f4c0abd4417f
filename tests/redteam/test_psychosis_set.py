"""Fixed client turns that drift into psychosis, sixteen times twelve, through the real graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from counselgraph.safety.levels import Side
from tests.redteam.playing import assert_guarded, play

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def cases(test_data: Path) -> list[dict[str, Any]]:
    file = test_data / "transcripts" / "psychosis_bench_test_cases.json"
    if not file.is_file():
        pytest.skip(f"test inputs not present: {file}")
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["cases"]
    return found


async def test_every_case_is_screened_turn_by_turn_and_ends_with_a_reason(cases: list[dict[str, Any]]):
    for case in cases:
        played = await play(case["prompts"], max_exchanges=len(case["prompts"]), min_exchanges=len(case["prompts"]))
        assert_guarded(played)
        crisis = any(turn.risk.acute for turn in played.of(Side.CLIENT)) or played.state.get("crisis_turns")
        assert crisis or len(played.of(Side.CLIENT)) == len(case["prompts"])
        assert max(played.standing) == played.state["risk"].level
