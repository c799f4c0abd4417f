from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from langchain_core.language_models import FakeListChatModel

from counselgraph.errors import ConfigError, InputError
from counselgraph.models.base import Answer, Model, Request
from counselgraph.models.load import VLLM_URL, Models, check_model_name
from tests.unit.models.conftest import MakeRequest


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "VLLM_API_KEY"):
        monkeypatch.delenv(name, raising=False)


class Own:
    name = "own"

    async def answer(self, request: Request) -> Answer:
        return Answer(text=f"{request.role} answers")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("rehearsal", ("rehearsal", "", None)),
        ("human", ("human", "", None)),
        ("openai/gpt-x", ("openai", "gpt-x", None)),
        ("vllm/Qwen/Qwen3-8B", ("vllm", "Qwen/Qwen3-8B", None)),
        ("vllm/a/b@http://127.0.0.1:8001/v1", ("vllm", "a/b", "http://127.0.0.1:8001/v1")),
        ("vllm/a@http://h:1/v1,http://h:2/v1", ("vllm", "a", "http://h:1/v1,http://h:2/v1")),
        ("openai/m@https://example.org/v1", ("openai", "m", "https://example.org/v1")),
        ("vllm/m@v2", ("vllm", "m@v2", None)),
        ("script/lines/client.txt", ("script", "lines/client.txt", None)),
        ("script//abs/client.txt", ("script", "/abs/client.txt", None)),
        ("replay/runs/one", ("replay", "runs/one", None)),
    ],
)
def test_names_have_these_forms(name: str, parts: tuple[str, str, str | None]) -> None:
    assert check_model_name(name) == parts


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "There is no model ``"),
        ("rehersal", "Did you mean `rehearsal`?"),
        ("vlm/x", "Did you mean `vllm/<model>`?"),
        (
            "gpt-4o",
            (
                "Models are: rehearsal, openai/<model>, vllm/<model>, human, script/<file>, replay/<run folder>, "
                "llamacpp/<file.gguf>."
            ),
        ),
        ("openai/", "should have the form `openai/<model>`"),
        ("vllm", "should have the form `vllm/<model>`"),
        ("vllm/@http://127.0.0.1:8001/v1", "names an address but no model"),
        ("vllm/m@http://user:secret@127.0.0.1:8001/v1", "carries a password"),
        ("vllm/m@http://127.0.0.1:1/v1,http://user:secret@127.0.0.1:8001/v1", "carries a password"),
        ("human/anna", "should have the form `human`"),
        ("human/", "should have the form `human`"),
    ],
)
def test_other_names_are_refused_with_what_would_work(name: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_model_name(name)
    assert said in str(caught.value)


async def test_a_model_is_made_once() -> None:
    async with Models() as models:
        assert models.get("human") is models.get("human")
        assert models.get("vllm/a") is models.get("vllm/a")
        assert models.get("vllm/a") is not models.get("vllm/b")


async def test_every_model_carries_the_name_it_was_asked_by(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "c.txt").write_text("One.")
    names = [
        "rehearsal",
        "human",
        f"script/{tmp_path}/c.txt",
        f"replay/{tmp_path}",
        "vllm/m",
        "vllm/m@http://127.0.0.1:1",
    ]
    async with Models() as models:
        assert [models.get(name).name for name in names] == names


def test_openai_names_need_an_address_so_that_nothing_leaves_the_machine_unasked() -> None:
    with pytest.raises(ConfigError, match="give --base-url or set OPENAI_BASE_URL"):
        Models().get("openai/gpt-x")


@pytest.mark.parametrize(
    ("given", "environment", "name", "expected"),
    [
        (None, None, "vllm/m", VLLM_URL),
        (None, "http://127.0.0.1:1/v1", "vllm/m", "http://127.0.0.1:1/v1"),
        (None, "http://127.0.0.1:1/v1", "openai/m", "http://127.0.0.1:1/v1"),
        ("http://127.0.0.1:2/v1", "http://127.0.0.1:1/v1", "openai/m", "http://127.0.0.1:2/v1"),
        ("http://127.0.0.1:2/v1", None, "vllm/m@http://127.0.0.1:3/v1", "http://127.0.0.1:3/v1"),
    ],
)
def test_the_nearest_address_counts(
    monkeypatch: pytest.MonkeyPatch, given: str | None, environment: str | None, name: str, expected: str
) -> None:
    if environment is not None:
        monkeypatch.setenv("OPENAI_BASE_URL", environment)
    models = Models(given)
    models.get(name)
    assert [endpoint.base_urls for endpoint in models._endpoints.values()] == [(expected,)]


@pytest.mark.parametrize("given", ["http://h:1/v1, http://h:2/v1/,http://h:1/v1", ["http://h:1/v1", "http://h:2/v1"]])
def test_several_addresses_are_one_endpoint(given: str | list[str]) -> None:
    models = Models(given)
    models.get("vllm/m")
    assert [endpoint.base_urls for endpoint in models._endpoints.values()] == [("http://h:1/v1", "http://h:2/v1")]


@pytest.mark.parametrize("given", [" ", ",", [""]])
def test_no_address_is_none(given: str | list[str]) -> None:
    with pytest.raises(ConfigError, match="An empty address"):
        Models(given).get("vllm/m")


def test_an_address_without_a_protocol_is_refused() -> None:
    with pytest.raises(ConfigError, match="`localhost:8000/v1` should begin with http"):
        Models("localhost:8000/v1").get("vllm/m")


def test_models_of_one_server_share_its_limit_of_calls() -> None:
    models = Models("http://127.0.0.1:1/v1")
    for name in ("vllm/a", "vllm/b", "vllm/c@http://127.0.0.1:2/v1"):
        models.get(name)
    assert len(models._endpoints) == 2


async def test_own_models_come_first(make_request: MakeRequest) -> None:
    own: Model = Own()
    models = Models(overrides={"rehearsal": own, "mine": FakeListChatModel(responses=["From LangChain."])})
    assert models.get("rehearsal") is own
    assert (await models.get("mine").answer(make_request())).text == "From LangChain."


def test_a_script_without_lines_for_the_role_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "lines.yaml"
    path.write_text("client: [One.]")
    models = Models()
    assert models.get(f"script/{path}", role="client").name == f"script/{path}"
    with pytest.raises(InputError, match="no lines for role `counselor`"):
        models.get(f"script/{path}", role="counselor")


def test_missing_files_are_refused_when_they_are_loaded(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Models().get(f"script/{tmp_path}/none.txt")
    with pytest.raises(ConfigError):
        Models().get(f"replay/{tmp_path}/none")


@pytest.mark.parametrize("name", ["rehearsal", "human"])
async def test_a_model_without_a_server_describes_itself(name: str) -> None:
    assert await Models().describe(name) == {"name": name, "kind": name}


def test_the_slow_import_of_the_openai_client_waits_for_the_first_call() -> None:
    code = (
        "import sys\n"
        "from counselgraph.models.load import Models\n"
        "Models('http://127.0.0.1:1/v1').get('vllm/m')\n"
        "print([name for name in ('openai', 'langchain_openai', 'aiohttp') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_call_imports_no_openai_client_at_all() -> None:
    code = (
        "import asyncio, sys\n"
        "from counselgraph.models.base import Request\n"
        "from counselgraph.models.load import Models\n"
        "from tests.fakes.openai_server import FakeOpenAI\n"
        "async def main():\n"
        "    async with FakeOpenAI() as server, Models(server.base_url) as models:\n"
        "        messages = ({'role': 'user', 'content': 'Hello.'},)\n"
        "        assert (await models.get('vllm/fake').answer(Request(role='client', messages=messages))).text\n"
        "asyncio.run(main())\n"
        "print([name for name in ('openai', 'langchain_openai', 'httpx') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    assert done.stdout.strip() == "[]"


async def test_describing_an_own_model_names_its_class() -> None:
    assert await Models(overrides={"mine": Own()}).describe("mine") == {"name": "mine", "kind": "Own"}
