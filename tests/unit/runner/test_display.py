"""Progress as people read it."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from counselgraph.errors import InputError
from counselgraph.models.base import Usage
from counselgraph.runner.batch import Progress
from counselgraph.runner.display import showing, told


def progress(**fields: object) -> Progress:
    """A run that started ten seconds ago."""
    given = {"total": 20, "at_once": 4, "started": time.monotonic() - 10.0, **fields}
    return Progress(**given)  # type: ignore[arg-type]  # fields by name


def test_a_line_says_what_runs_how_fast_and_how_long_it_will_take() -> None:
    usage = Usage(calls=100, prompt_tokens=1000, cached_tokens=900, completion_tokens=2000)
    now = progress(done=8, failed=1, stops={"completed": 7, "model_error": 1}, exchanges=100, usage=usage)
    assert told(now) == "4 running, 1 failed, 10.0 exchanges/s, 200 tokens/s, 90% of the prompts cached, 10 s left"


def test_what_nobody_counts_is_not_told() -> None:
    assert told(progress()) == "4 running, 0 failed, 0.0 exchanges/s"


def test_sessions_of_an_earlier_start_do_not_make_this_one_look_fast() -> None:
    fresh = progress(total=100, done=10, stops={"completed": 10}, exchanges=100)
    resumed = progress(total=140, done=50, stops={"completed": 10}, exchanges=100)
    assert resumed.seconds_left == pytest.approx(fresh.seconds_left, rel=0.01)


@pytest.mark.parametrize(("left", "words"), [(5, "5 s"), (65, "1 min 5 s"), (7265, "2 h 1 min")])
def test_the_time_left_is_told_in_words(left: int, words: str) -> None:
    # One session at a time, one ended in ten seconds, so each further one takes as long: 10 / 1.5 of them are guessed.
    now = progress(total=1000, done=0, at_once=1, exchanges=10)
    now.total = round(left / 20 + 0.5)
    now.started = time.monotonic() - left / 2 / (now.total - 0.5)
    assert told(now).endswith(f"{words} left")


def test_plain_lines_come_at_most_every_few_seconds_and_once_at_the_end() -> None:
    text = io.StringIO()
    now = progress(total=3)
    with showing("plain", Console(file=text)) as callback:
        assert callback is not None
        for _ in range(3):
            callback(now)
            callback(now.counted("completed"))
        callback(now)
    assert text.getvalue().splitlines() == ["3/3 sessions, 0 running, 0 failed, 0.0 exchanges/s"]


def test_no_display_is_shown_and_an_unknown_one_refused() -> None:
    with showing("none", Console(file=io.StringIO())) as callback:
        assert callback is None
    with pytest.raises(InputError, match="loud"), showing("loud", Console(file=io.StringIO())):
        pass
