from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from counselgraph.errors import InputError
from counselgraph.models.script import ENDED, Script
from counselgraph.transcript import turn
from tests.unit.models.conftest import MakeRequest


class Decision(BaseModel):
    n: int


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "client.txt"
    path.write_text("# a short script\n\nI cannot sleep.\n  Since March.\n", encoding="utf-8")
    return path


async def test_the_nth_turn_of_the_role_is_the_nth_line(lines: Path, make_request: MakeRequest) -> None:
    script = Script(lines)
    said = [turn("counselor", "Welcome.", exchange=0)]
    assert (await script.answer(make_request(view={"messages": said}))).text == "I cannot sleep."
    said += [turn("client", "I cannot sleep.", exchange=1), turn("counselor", "Since when?", exchange=1)]
    for _ in range(2):
        assert (await script.answer(make_request(view={"messages": said}))).text == "Since March."


async def test_a_script_without_more_lines_ends_the_session_without_a_turn(
    lines: Path, make_request: MakeRequest
) -> None:
    said = [turn("client", text, exchange=1) for text in ("I cannot sleep.", "Since March.")]
    answer = await Script(lines).answer(make_request(view={"messages": said}))
    assert (answer.text, answer.end, answer.usage.calls) == ("", ENDED, 0)


async def test_yaml_holds_lines_by_role(tmp_path: Path, make_request: MakeRequest) -> None:
    path = tmp_path / "both.yaml"
    path.write_text('client:\n  - "I cannot sleep."\ncounselor: [Welcome., "Since when?"]\n', encoding="utf-8")
    script = Script(path)
    assert script.lines("counselor") == ("Welcome.", "Since when?")
    assert (await script.answer(make_request(role="counselor"))).text == "Welcome."
    with pytest.raises(InputError, match="no lines for role `mother`, only for `client`, `counselor`"):
        await script.answer(make_request(role="mother"))


async def test_a_yaml_list_serves_every_role(tmp_path: Path, make_request: MakeRequest) -> None:
    path = tmp_path / "lines.yaml"
    path.write_text("- One.\n- Two.\n", encoding="utf-8")
    assert (await Script(path).answer(make_request(role="mother"))).text == "One."


async def test_typed_output_takes_the_line_of_the_exchange(tmp_path: Path, make_request: MakeRequest) -> None:
    path = tmp_path / "plans.txt"
    path.write_text('{"n": 1}\n{"n": 2}\n', encoding="utf-8")
    answer = await Script(path).answer(make_request(role="planner", output=Decision, exchange=2))
    assert answer.text == '{"n": 2}'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.txt", "\n# nothing\n", "no line to say"),
        ("empty.yaml", "[]", "no line to say"),
        ("number.yaml", "- One.\n- 2\n", "record 2: line is 2, not text"),
        ("word.yaml", "One.", "expected a list"),
        ("role.yaml", "client: One.", "field `client`: expected a list"),
        ("broken.yaml", "client: [", "not valid YAML"),
    ],
)
def test_a_script_that_cannot_be_used_is_refused_by_file(tmp_path: Path, name: str, content: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        Script(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_script_names_file_and_fix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.txt.*Fix: Name an existing"):
        Script(tmp_path / "none.txt")
