"""Another spec on a folder that holds a run: refused with the differences, or gone on with by `--force`."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.helpers import counselgraph, fake_flags, manifest, refused, serving, write_clients
from tests.fakes.openai_server import FakeOpenAI

FLAGS = ("--personas", "people", "--max-exchanges", 2, "--memory", "none", "--display", "none", "--out", "out")


def logs(folder: Path) -> dict[str, bytes]:
    return {file.stem: file.read_bytes() for file in (folder / "sessions").iterdir()}


def test_another_spec_is_refused_with_its_differences_and_goes_on_with_force(tmp_path: Path) -> None:
    write_clients(tmp_path / "people", 4)
    with serving(FakeOpenAI()) as server:
        flags = (*FLAGS, *fake_flags(server))
        assert counselgraph("run", *flags, "--limit", 2, "--seed", 1, cwd=tmp_path).returncode == 0
        before, calls = logs(tmp_path / "out"), server.calls
        other = (*flags, "--limit", 4, "--seed", 2, "--set", "params.temperature=0.5")
        result = counselgraph("run", *other, cwd=tmp_path)
        refused(
            result,
            "\n  limit: 2 there -> 4 now\n",
            "\n  params.temperature: not set there -> 0.5 now\n",
            "\n  seed: 1 there -> 2 now\n",
            "--force",
        )
        assert (logs(tmp_path / "out"), server.calls) == (before, calls)

        result = counselgraph("run", *other, "--force", cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        after, calls = logs(tmp_path / "out"), server.calls
        assert counselgraph("resume", "out", cwd=tmp_path).returncode == 0
        assert (logs(tmp_path / "out"), server.calls) == (after, calls)
    assert len(after) == 4
    assert before.items() <= after.items()
    changes = manifest(tmp_path / "out")["changed"]
    assert isinstance(changes, list)
    assert [change["diff"]["seed"] for change in changes] == [{"there": 1, "now": 2}]


def test_an_unfinished_session_is_asked_anew_where_its_question_is_another(tmp_path: Path) -> None:
    write_clients(tmp_path / "people", 1)
    with serving(FakeOpenAI()) as server:
        flags = (*FLAGS, *fake_flags(server))
        assert counselgraph("run", *flags, "--seed", 1, cwd=tmp_path).returncode == 0
        (log,) = (tmp_path / "out/sessions").iterdir()
        once, played = server.calls, log.read_text()
        log.write_text("\n".join(played.splitlines()[:-1]))  # no end: unfinished
        assert counselgraph("run", *flags, "--seed", 2, "--force", cwd=tmp_path).returncode == 0
    assert server.calls == 2 * once
    assert log.read_text() != played
