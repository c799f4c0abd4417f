"""The page about prompts shows what is sent."""

from __future__ import annotations

from tests.unit.agents.prompt_examples import PAGE, examples, filled


def test_the_examples_of_the_page_are_what_the_roles_send_today():
    page = PAGE.read_text(encoding="utf-8")
    assert page == filled(page), "run `python -m tests.unit.agents.prompt_examples` to bring the page up to date"


def test_every_example_is_shown():
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"<!-- example: {name} -->" in page for name in examples())
