from __future__ import annotations

from pathlib import Path

import pytest

from counselgraph.errors import ConfigError, ModelError
from counselgraph.models.base import Usage
from counselgraph.models.journal import Entry, Journal
from counselgraph.models.replay import Replay
from tests.unit.models.conftest import MakeRequest


@pytest.fixture
def run(tmp_path: Path) -> Path:
    with Journal(tmp_path / "journal" / "s1.jsonl") as journal:
        for exchange in (1, 2):
            for role in ("client", "counselor"):
                journal.add(
                    Entry(
                        key=f"{role}{exchange}",
                        role=role,
                        exchange=exchange,
                        call=0,
                        model="m",
                        text=f"{role} says {exchange}",
                        usage=Usage(calls=1, prompt_tokens=9),
                    )
                )
        journal.add(Entry(key="again", role="client", exchange=2, call=0, model="m", text="corrected", end="done"))
    return tmp_path


async def test_the_same_place_gets_the_recorded_answer(run: Path, make_request: MakeRequest) -> None:
    replay = Replay(run)
    answer = await replay.answer(make_request(exchange=1, seed=99))
    assert (answer.text, answer.journaled, answer.usage.calls) == ("client says 1", True, 0)
    assert (await replay.answer(make_request(role="counselor", exchange=2))).text == "counselor says 2"


async def test_the_last_answer_of_a_place_counts(run: Path, make_request: MakeRequest) -> None:
    answer = await Replay(run).answer(make_request(exchange=2))
    assert (answer.text, answer.end) == ("corrected", "done")


async def test_a_place_without_an_answer_is_named(run: Path, make_request: MakeRequest) -> None:
    with pytest.raises(ModelError, match="session s1 holds no answer of role `client` in exchange 3, call 0"):
        await Replay(run).answer(make_request(exchange=3))


async def test_a_session_that_was_not_recorded_is_named(run: Path, make_request: MakeRequest) -> None:
    with pytest.raises(ConfigError, match="session s2 was not recorded"):
        await Replay(run).answer(make_request(session="s2"))


def test_a_folder_without_journals_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="journal; name the folder of a finished run"):
        Replay(tmp_path)
