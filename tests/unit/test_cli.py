"""What the command line makes of its arguments and of errors."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from counselgraph import ConfigError, InfrastructureError, InputError, ModelError, RunSpec, __version__
from counselgraph.cli import program

OTHER: dict[str, Any] = {
    "personas": "people",
    "format": "cactus",
    "limit": 3,
    "skip_bad": True,
    "model": "vllm/a",
    "models": {"client": "vllm/b"},
    "base_url": "http://127.0.0.1:1/v1",
    "params": {"temperature": 0.7},
    "roles": ["monitor"],
    "seed": 5,
    "replicates": 2,
    "opens": "client",
    "max_exchanges": 9,
    "min_exchanges": 2,
    "call_limit": 40,
    "token_limit": 4000,
    "timeout_s": 5.0,
    "language": "de",
    "locale": "CA",
    "concurrency": 3,
    "max_calls": 7,
    "workers": 2,
    "executor": "ray",
    "client": "stock",
    "layers": ["rules", "learned"],
    "human_review": True,
    "recipe": "course",
    "sessions_per_client": 3,
    "protocol": "person_centred",
    "forgetting_days": 14.0,
    "memory": "kept",
    "embedder": "minilm:/x",
    "out": "there",
}


def spec_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> RunSpec:
    """The spec that a command would run."""
    made: list[RunSpec] = []

    def keep(spec: RunSpec, *_: object, **__: object) -> int:
        made.append(spec)
        return 0

    for name in ("_play", "_talk"):
        monkeypatch.setattr(program.run, name, keep)
    result = CliRunner().invoke(program.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return made[0]


def test_every_field_of_a_spec_is_tried_here() -> None:
    assert set(OTHER) == set(RunSpec.model_fields)


@pytest.mark.parametrize("field", OTHER)
def test_every_field_of_a_spec_can_be_set(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    value = OTHER[field]
    found = spec_of(monkeypatch, "run", "--set", f"{field}={json.dumps(value)}").dump()
    assert found[field] == value != RunSpec().dump()[field]


def test_dotted_keys_set_single_entries_and_leave_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "spec.yaml").write_text("params: {top_p: 0.9, temperature: 1}\nmodels: {client: vllm/a}\n")
    settings = ("--set", "params.temperature=0.7", "--set", "params.max_tokens=99")
    flags = ("--spec", str(tmp_path / "spec.yaml"), "--counselor-model", "vllm/b")
    found = spec_of(monkeypatch, "run", *flags, *settings)
    assert found.params == {"top_p": 0.9, "temperature": 0.7, "max_tokens": 99}
    assert found.models == {"client": "vllm/a", "counselor": "vllm/b"}


def test_a_chat_takes_settings_too(monkeypatch: pytest.MonkeyPatch) -> None:
    found = spec_of(monkeypatch, "chat", "--persona", "claire-moreau", "--set", "opens=client")
    assert (found.opens, found.models) == ("client", {"counselor": "human"})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("bad"), 2),
        (ConfigError("bad"), 2),
        (ModelError("bad"), 1),
        (InfrastructureError("bad"), 1),
        (ExceptionGroup("pool", [ExceptionGroup("inner", [InfrastructureError("bad")])]), 1),
        (ExceptionGroup("pool", [ConfigError("bad"), ConfigError("worse")]), 2),
    ],
)
def test_errors_of_ours_are_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    def app() -> None:
        raise error

    monkeypatch.setattr(program, "app", app)
    with pytest.raises(SystemExit) as left:
        program.main()
    assert left.value.code == code
    assert capsys.readouterr().err == "error: bad\n"


def test_errors_of_others_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def app() -> None:
        raise ExceptionGroup("pool", [ConfigError("bad"), KeyError("a bug")])

    monkeypatch.setattr(program, "app", app)
    with pytest.raises(ExceptionGroup, match="pool"):
        program.main()


def test_the_program_is_loaded_after_the_collector_was_told_to_wait() -> None:
    code = (
        "import gc, sys, counselgraph.cli as cli\n"
        "assert 'typer' not in sys.modules, 'loaded with the package'\n"
        "sys.argv = ['counselgraph', '--version']\n"
        "try:\n"
        "    cli.main()\n"
        "finally:\n"
        "    print(gc.get_threshold()[0], gc.get_freeze_count() > 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, seen = done.stdout.splitlines()
    assert version == f"counselgraph {__version__}"
    assert seen == "200000 True"
