from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counselgraph.errors import InputError
from counselgraph.runner.html import html_page, write_html
from counselgraph.runner.log import Event, SessionRecord, read_run
from counselgraph.runner.markup import el
from counselgraph.runner.story import techniques
from counselgraph.runner.timeline import course
from tests.unit.runner.logs import FIRST, OPENING, end, header, plan, risk, session, turn, write_run

VOID = {"meta", "input"}


class Page(HTMLParser):
    """Elements, texts and ids of a page; raises on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def records_of(folder: Path, **sessions: list[Event]) -> list[SessionRecord]:
    return list(read_run(write_run(folder, sessions)))


@pytest.fixture
def one(tmp_path: Path) -> str:
    return html_page(records_of(tmp_path, a=session()))


@pytest.fixture
def many(tmp_path: Path) -> str:
    return html_page(records_of(tmp_path, a=session(), b=session("Bo"), c=session()[:6]))


@pytest.mark.parametrize("page", ["one", "many"])
def test_the_page_asks_for_nothing_from_outside(page: str, request: pytest.FixtureRequest) -> None:
    text = request.getfixturevalue(page)
    assert not re.findall(r"https?:|\bsrc\s*=|@import|url\(|srcset|<link|<base|<iframe|//[a-z]+\.[a-z]", text)
    hrefs = [attributes["href"] or "" for _, attributes in Page(text).elements if "href" in attributes]
    assert hrefs
    assert all(href.startswith("#") for href in hrefs)


@pytest.mark.parametrize("page", ["one", "many"])
def test_ids_are_unique_and_every_link_leads_somewhere(page: str, request: pytest.FixtureRequest) -> None:
    parsed = Page(request.getfixturevalue(page))
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {(each["href"] or "")[1:] for each in parsed.all("a")} <= set(ids)


def test_the_policy_allows_this_very_style_and_script_and_nothing_else(one: str) -> None:
    policy = next(each for each in Page(one).all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    assert (policy["content"] or "").startswith("default-src 'none'")
    for tag in ("style", "script"):
        inside = re.search(f"<{tag}>(.*?)</{tag}>", one, re.DOTALL)
        assert inside is not None
        digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in (policy["content"] or "")
    assert not [attributes for _, attributes in Page(one).elements if "style" in attributes or "onclick" in attributes]


def test_a_session_is_told_whole(one: str) -> None:
    told = Page(one).texts
    for words in (OPENING, FIRST, "Ada Lindt", "Plan 1: Decatastrophizing", "Risk of the client: R1 concern", "Cost"):
        assert words in told
    assert any("Not care, not clinical data." in words for words in told)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_text_stays_text(tmp_path: Path, text: str) -> None:
    evil = f"<script>alert(1)</script>\"'><img onerror=x>&amp;</style>{text}"
    events: list[Event] = [
        header(evil, language=evil, source={"format": evil, "file": evil, "record": 1}),
        turn("client", evil, 1),
        risk(1, 3, reason=evil, quote=evil),
        plan(1, focus=evil, reason=evil, hypothesis=evil),
        end(reason=evil),
    ]
    parsed = Page(html_page(records_of(tmp_path, a=events)))
    assert len(parsed.all("script")) == len(parsed.all("style")) == 1
    assert not parsed.all("img")
    assert evil in parsed.texts


def test_attributes_are_escaped_and_left_out_when_empty() -> None:
    assert el("p", "a<b", title='"x"', hidden=True, lang=None) == '<p title="&quot;x&quot;" hidden>a&lt;b</p>'


def test_each_turn_finds_its_own_direction_and_names_its_language(tmp_path: Path) -> None:
    text = html_page(records_of(tmp_path, a=[header(language="fa"), turn("client", "سلام", 1), end()]))
    words = [each for each in Page(text).all("p") if each.get("class") == "words"]
    assert words == [{"class": "words", "dir": "auto", "lang": "fa"}]


def test_the_page_has_landmarks_and_headings_in_order(many: str) -> None:
    parsed = Page(many)
    assert len(parsed.all("main")) == len(parsed.all("h1")) == len(parsed.all("header")) == 1
    assert [tag for tag, _ in parsed.elements if tag in {"h1", "h2", "h3"}][:3] == ["h1", "h2", "h2"]
    assert all("aria-label" in each for each in parsed.all("svg"))


def test_a_run_has_an_index_with_what_the_filters_look_at(many: str) -> None:
    parsed = Page(many)
    rows = [each for each in parsed.all("tr") if "data-session" in each]
    folded = [each for each in parsed.all("details") if each.get("class") == "folded"]
    assert [each["data-stop"] for each in rows] == ["completed", "completed", "unfinished"]
    assert [each["data-risk"] for each in rows] == ["1", "1", "1"]
    assert [each["data-session"] for each in folded] == ["1", "2", "3"]
    assert {"attitude", "technique", "stop", "risk", "text"} <= set(parsed.texts)


def test_every_technique_of_a_session_is_named_in_the_order_of_its_plans(tmp_path: Path) -> None:
    changed = [header(), turn("client", "a", 1), plan(1), plan(4, 2, technique="continuum"), plan(5, 3), end()]
    records = records_of(tmp_path, a=changed, b=[header(), turn("client", "b", 1), plan(1), end()])
    first = records[0]
    assert len(techniques(first)) == 2
    assert ", then ".join(techniques(first)) in Page(html_page([first])).texts
    marks = [each for each in Page(html_page(records)).all("span") if "title" in each]
    assert [each["title"] for each in marks] == [", then ".join(techniques(first))]


def test_cells_carry_their_head_for_windows_too_narrow_for_columns(many: str) -> None:
    labels = [each.get("data-label") for each in Page(many).all("td") if "data-label" in each]
    assert labels[:5] == ["attitude", "technique", "exchanges", "stop", "risk"]


def test_a_note_says_what_it_is_about_and_tells_its_fields_one_by_one(tmp_path: Path) -> None:
    value = {"exchange": 1, "word": "dread", "valence": -0.5, "told": []}
    noted = {"event": "note", "node": "client", "role": "client", "channel": "emotion", "value": value, "exchange": 1}
    texts = Page(html_page(records_of(tmp_path, a=[header(), noted, turn("client", "a", 1), end()]))).texts
    assert "Client notes: emotion" in texts
    assert {"word", "dread", "valence", "-0.5"} <= set(texts)
    assert not {"told", "exchange"} & set(texts)


def test_unfinished_and_empty_sessions_have_a_page(tmp_path: Path) -> None:
    assert "unfinished" in html_page(records_of(tmp_path, a=[header()]))
    assert "0 sessions" in html_page([])


def test_acute_risk_is_unfolded(tmp_path: Path) -> None:
    text = html_page(records_of(tmp_path, a=[header(), turn("client", "a", 1), risk(1, 4, reason="b"), end()]))
    assert [each for each in Page(text).all("details") if each.get("class") == "note acute" and "open" in each]


def test_the_course_counts_steps_as_the_planner_does(tmp_path: Path) -> None:
    said = [turn("client", text, number) for number, text in enumerate(("Start.", "On Tuesday.", "I don't know."), 1)]
    events = [header(), said[0], plan(1), *said[1:], risk(3, 3), turn("counselor", "b", 3, "safe_reply"), end()]
    points = course(records_of(tmp_path, a=events)[0])
    assert [(point.phase, point.step) for point in points] == [
        ("agenda", "agenda"),
        ("exploration", "situation"),
        ("exploration", "situation"),
    ]
    assert [point.level for point in points] == [0, 0, 3]
    assert [point.suspended for point in points] == [False, False, True]
    assert points[2].stands_in == "replaced by the safety screen"


def test_the_page_is_written_whole_or_refused(tmp_path: Path) -> None:
    records: list[Any] = records_of(tmp_path / "run", a=session())
    write_html(records, tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == html_page(records)
    assert not (tmp_path / "a.html.part").exists()
    with pytest.raises(InputError, match="cannot be written"):
        write_html(records, tmp_path / "none" / "a.html")
