"""A GGUF file in this process. Needs the extra llamacpp and the package gguf; the model talks nonsense."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from counselgraph import ConfigError, Models, RunSpec, read_run, run
from counselgraph.errors import ContextTooLong
from counselgraph.models.base import Request
from counselgraph.models.llamacpp import LlamaCpp, load_llamacpp
from counselgraph.protocols.plan import PlanDecision
from counselgraph.safety.levels import Verdict

for needed in ("llama_cpp", "langchain_community", "gguf"):
    pytest.importorskip(needed, reason=f"{needed} is not installed; see the extra llamacpp")

NAME = "llamacpp/tiny.gguf"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.live.tiny_gguf import write_gguf

    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="module")
def model(file: Path) -> LlamaCpp:
    return load_llamacpp(file, NAME)


def asked(*, said: str = "What happened first?", **fields: object) -> Request:
    messages = ({"role": "system", "content": "You talk."}, {"role": "user", "content": said})
    return Request.model_validate({"role": "client", "messages": messages, "params": {"max_tokens": 40}, **fields})


async def test_the_same_seed_says_the_same_again(model: LlamaCpp) -> None:
    said = [await model.answer(asked(seed=seed)) for seed in (2**62 + 1, 2**62 + 1, 5)]
    assert said[0].text == said[1].text != said[2].text
    assert said[0].usage.prompt_tokens > 40
    assert 0 < said[0].usage.completion_tokens <= 40


@pytest.mark.parametrize("output", [PlanDecision, Verdict])
async def test_typed_answers_are_held_to_their_schema(model: LlamaCpp, output: type[PlanDecision | Verdict]) -> None:
    for seed in range(8):
        answer = await model.answer(asked(seed=seed, output=output, params={"max_tokens": 1500}))
        output.model_validate_json(answer.text)


async def test_calls_made_at_once_are_answered_as_if_alone(model: LlamaCpp) -> None:
    alone = [(await model.answer(asked(seed=seed))).text for seed in range(6)]
    together = await asyncio.gather(*(model.answer(asked(seed=seed)) for seed in range(6)))
    assert [answer.text for answer in together] == alone


async def test_a_prompt_that_is_too_long_is_no_result(model: LlamaCpp) -> None:
    with pytest.raises(ContextTooLong, match="exceed context window"):
        await model.answer(asked(said="so " * 9000))


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(ConfigError, match=f"cannot be loaded.*{tmp_path}/bad.gguf"):
        load_llamacpp(tmp_path / "bad.gguf", "llamacpp/bad.gguf")


async def test_whole_sessions_play(file: Path, tmp_path: Path) -> None:
    spec = RunSpec(
        model="rehearsal", models={"client": "tiny", "planner": "tiny"}, limit=2, max_exchanges=2,
        params={"max_tokens": 600}, memory="none", out=tmp_path / "out",
    )  # fmt: skip
    result = await run(spec, models=Models(overrides={"tiny": load_llamacpp(file, "tiny")}))
    assert result.failed == {}
    asked = [event for record in read_run(result.out) for event in record.of("model_call") if event["output"]]
    assert len(asked) >= 2
    for event in asked:
        PlanDecision.model_validate_json(event["answer"])
