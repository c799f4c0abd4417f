"""What servers are started with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from counselgraph.models.serving.spec import ServerSpec
from tests.fakes.vllm import fake_model


def flag(command: list[str], name: str) -> str:
    """The value a flag ends up with: argparse takes the last."""
    return command[len(command) - 1 - command[::-1].index(name) + 1]


def test_a_server_listens_on_this_machine_alone_whatever_flags_are_added(tmp_path: Path) -> None:
    model = fake_model(tmp_path / "m")
    command = ServerSpec(model, flags=("--host", "0.0.0.0", "--port", "1", "--served-model-name", "x")).command(8000)
    assert (flag(command, "--host"), flag(command, "--port")) == ("127.0.0.1", "8000")
    assert (flag(command, "--served-model-name"), flag(command, "--model")) == ("m", model)


def test_recommended_flags_come_first_so_that_given_ones_win(tmp_path: Path) -> None:
    given = '{"backend":"xgrammar"}'
    command = ServerSpec(fake_model(tmp_path / "m"), flags=("--structured-outputs-config", given)).command(8000)
    assert {"--enable-prefix-caching", "--enable-prompt-tokens-details"} <= set(command)
    recommended = json.loads(command[command.index("--structured-outputs-config") + 1])
    assert recommended == {"backend": "guidance", "disable_any_whitespace": True}
    assert flag(command, "--structured-outputs-config") == given


@pytest.mark.parametrize(
    ("trained", "asked", "expected"), [(4096, None, 4096), (131072, None, 8192), (131072, 32768, 32768)]
)
def test_on_a_cpu_prompts_are_never_split(tmp_path: Path, trained: int, asked: int | None, expected: int) -> None:
    model = fake_model(tmp_path / "m", context=trained)
    command = ServerSpec(model, context=asked, cpu=True).command(8000)
    assert "--no-enable-chunked-prefill" in command
    assert flag(command, "--max-model-len") == flag(command, "--max-num-batched-tokens") == str(expected)


def test_on_a_gpu_the_model_decides_about_its_length_unless_told(tmp_path: Path) -> None:
    model = fake_model(tmp_path / "m")
    assert "--max-model-len" not in ServerSpec(model).command(8000)
    assert flag(ServerSpec(model, context=2048).command(8000), "--max-model-len") == "2048"


def test_nothing_is_downloaded_or_reported() -> None:
    environment = ServerSpec("m").environment(8000, ["0"], {"HF_HUB_OFFLINE": "0", "HOME": "/h"})
    switches = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "VLLM_NO_USAGE_STATS", "DO_NOT_TRACK")
    assert {environment[switch] for switch in switches} == {"1"}
    assert environment["HOME"] == "/h"


def test_every_replica_has_a_port_and_gpus_of_its_own() -> None:
    spec = ServerSpec("m", port=9000, replicas=3, flags=("--tensor-parallel-size=2",))
    shares = [spec.environment(port, list("012345"), {})["CUDA_VISIBLE_DEVICES"] for port in spec.ports]
    assert shares == ["0,1", "2,3", "4,5"]
    assert spec.base_urls == tuple(f"http://127.0.0.1:{port}/v1" for port in (9000, 9001, 9002))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), 1),
        (("-tp", "4"), 4),
        (("--tensor-parallel-size=2", "--pipeline-parallel-size", "3"), 6),
        (("--max-num-seqs", "64"), 1),
    ],
)
def test_flags_for_parallelism_say_how_many_gpus_a_replica_needs(flags: tuple[str, ...], expected: int) -> None:
    assert ServerSpec("m", flags=flags).gpus_each == expected


def test_replicas_on_a_cpu_share_its_cores_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3, 4})
    spec = ServerSpec("m", replicas=2, cpu=True)
    assert [spec.environment(port, own={})["VLLM_CPU_OMP_THREADS_BIND"] for port in spec.ports] == ["0,1", "2,3"]
    assert "VLLM_CPU_OMP_THREADS_BIND" not in ServerSpec("m", cpu=True).environment(8000, own={})


def test_what_the_user_set_for_the_cpu_stays() -> None:
    own = {"VLLM_CPU_KVCACHE_SPACE": "9"}
    assert ServerSpec("m", cpu=True).environment(8000, own=own)["VLLM_CPU_KVCACHE_SPACE"] == "9"


def test_a_model_is_called_by_its_folder_its_name_or_as_told(tmp_path: Path) -> None:
    assert ServerSpec(fake_model(tmp_path / "Some-8B")).served_name == "Some-8B"
    assert ServerSpec("org/Some-8B").served_name == "org/Some-8B"
    assert ServerSpec("org/Some-8B", "short").served_name == "short"
