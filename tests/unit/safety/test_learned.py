"""The learned screen: what it may say, what it quotes, and what is and is not in its weights."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.safety.fold import fold
from counselgraph.safety.learned import screen_learned, screen_learned_reply
from counselgraph.safety.learned.features import VIEWS, names_a_kind, see
from counselgraph.safety.learned.weights import Weights, in_order, load_weights, read_weights, trained, write_weights
from counselgraph.safety.levels import Category, Level, Side, Verdict
from counselgraph.said import Said

GRAVE = (
    "I wrote the letters to my parents and I have the pills. I tried before and it failed. Goodbye, I am done tonight."
)
CALM = "We went to the lake on Sunday and I finally read the book you told me about."
LOW = "I feel like a failure at work and I cried in the car. My boss never says a kind word."


def client(text: str, language: str = "en") -> Verdict:
    verdict = screen_learned(text, side=Side.CLIENT, language=language)
    assert verdict is not None
    return verdict


def test_words_of_intent_are_found_without_a_rule():
    assert client(GRAVE).level >= Level.ACTIVE


@pytest.mark.parametrize("text", [CALM, LOW, "", "   ", "\n\n", "...", "ok", "\ud800"])
def test_calm_low_and_empty_turns_stay_silent(text: str):
    assert client(text) == Verdict(side=Side.CLIENT)


@pytest.mark.parametrize(("side", "language"), [(Side.COUNSELOR, "en"), (Side.CLIENT, "fr"), (Side.CLIENT, "")])
def test_it_has_nothing_to_say_where_it_was_not_trained(side: Side, language: str):
    assert screen_learned(GRAVE, side=side, language=language) is None


def test_a_region_of_a_language_does_not_matter():
    assert client(GRAVE, "en-GB") == client(GRAVE, "en_US.UTF-8") == client(GRAVE)


def test_chinese_has_weights_of_its_own():
    verdict = client("活着好累。我想自杀。", "zh")
    assert verdict.level >= Level.PASSIVE
    assert verdict.findings[0].source.startswith("learned/zh:")
    assert client("最近工作很忙。周末想和朋友去爬山", "zh").level is Level.NONE


@given(st.text(st.characters(), max_size=400), st.sampled_from(("en", "zh")))
def test_any_text_gets_at_most_one_finding_with_an_exact_quote(text: str, language: str):
    verdict = client(text, language)
    assert verdict == client(text, language)
    assert verdict.level <= Level.INTENT
    assert not verdict.denial
    assert [finding.level for finding in verdict.findings] == [verdict.level] * bool(verdict.level)
    assert all(finding.quote and finding.quote in text for finding in verdict.findings)


@given(st.lists(st.sampled_from((CALM, LOW)), max_size=3), st.lists(st.sampled_from((CALM, LOW)), max_size=3))
def test_the_quote_is_not_a_calm_sentence(before: list[str], after: list[str]):
    for finding in client(" ".join((*before, GRAVE, *after))).findings:
        assert finding.quote in GRAVE


def test_a_finding_says_what_level_it_is_and_whose_weights_said_so():
    (finding,) = client(GRAVE).findings
    assert finding.category in {Category.SI_ACTIVE, Category.INTENT}
    assert finding.source == f"learned/en:{load_weights('en').card.version}"


def test_a_page_without_a_full_stop_is_quoted_in_part():
    text = " ".join([GRAVE.replace(".", "").replace(",", "")] * 20)
    for finding in client(text).findings:
        assert len(finding.quote) <= 200


def test_a_head_is_silent_where_the_next_lower_one_leans_the_other_way():
    scores = np.array([[1, -1, 1], [2, 2, -2], [3, 3, 3]], dtype=np.float32)
    assert in_order(scores).tolist() == [[1, -1, 1], [2, -np.inf, -2], [3, 3, -np.inf]]


def test_buckets_are_the_same_on_every_machine():
    seen = see(fold("I can't go on, I want it to end.").text, "en")
    assert [int(one.buckets.sum()) for one in seen] == [2174883, 151454, 41152, 127732, 23307]
    assert [len(one.buckets) for one in seen] == [118, 17, 18, 30, 12]


@pytest.mark.parametrize("model", VIEWS)
def test_weights_are_small_and_their_card_says_where_they_come_from(model: str):
    assert model in trained()
    weights = load_weights(model)
    assert [view.dtype for view in weights.views] == [np.int8] * len(VIEWS[model])
    assert [view.shape[1] for view in weights.views] == [2**view.bits for view in VIEWS[model]]
    assert len(weights.card.thresholds) == len(weights.card.levels) == len(weights.bias)
    assert max(weights.card.levels) <= Level.INTENT
    assert weights.card.model == model
    for field in ("sources", "rows", "labelled", "made"):
        assert weights.card.about[field]


def test_weights_survive_being_written(tmp_path: Path):
    weights = load_weights("en")
    write_weights(tmp_path, weights)
    again = read_weights(tmp_path, "en")
    seen = see(fold(GRAVE).text, "en")
    assert again.card == weights.card
    assert again.scores(seen).tolist() == weights.scores(seen).tolist()
    assert (tmp_path / "en.npz").stat().st_size < 300_000


def test_weights_that_hold_objects_are_refused(tmp_path: Path):
    write_weights(tmp_path, load_weights("zh"))
    np.savez(tmp_path / "zh.npz", chars=np.array([object()]), scales=np.zeros(1), bias=np.zeros(1))
    with pytest.raises(ValueError, match="pickle"):
        read_weights(tmp_path, "zh")


def test_a_word_of_few_texts_gets_no_weight():
    pytest.importorskip("sklearn")
    from benchmarks.screen_training.corpora import Row
    from benchmarks.screen_training.fitting import fit_head, task_of

    rows = [Row(f"{word} {number}", level, f"{word}{number}", "made up", calm=False)
            for word, level in (("stormy", 2), ("sunny", 0)) for number in range(20)]  # fmt: skip
    rows[0] = rows[0]._replace(text="xylophone stormy")
    head = fit_head(task_of(rows, "en"), 2)
    named = see("xylophone", "en")[1].buckets + 2 ** VIEWS["en"][0].bits
    common = see("stormy", "en")[1].buckets + 2 ** VIEWS["en"][0].bits
    assert not head.coefficients[named].any()
    assert head.coefficients[common].all()


def test_a_reply_is_only_looked_at_where_the_client_is_in_distress():
    reply = "Haha cool, same here."
    at_ease = screen_learned_reply(reply, before=[Said("client", CALM)], language="en")
    assert at_ease == screen_learned_reply(reply, before=[], language="en") == Verdict(side=Side.COUNSELOR)
    assert screen_learned_reply(reply, before=[Said("client", CALM)], language="zh") is None


def test_what_a_reply_passes_over_is_named_by_the_clients_risk():
    found = {}
    for said in ("I feel worthless and alone.", "I want to die."):
        before = [Said("client", said), Said("counselor", "Go on.")]
        verdict = screen_learned_reply("That's a good thing, I guess.", before=before, language="en")
        assert verdict is not None
        assert verdict.level is Level.PASSIVE
        found[said] = [finding.category for finding in verdict.findings]
    assert found == {
        "I feel worthless and alone.": [Category.INVALIDATION],
        "I want to die.": [Category.MISSED_RISK],
    }


def test_kinds_are_looked_up_by_word_and_by_beginning():
    assert names_a_kind("i am so hopeless", "en", {"hopeless"})
    assert names_a_kind("he is suicidal", "en", {"death"})
    assert not names_a_kind("nice weather", "en", {"death", "hopeless"})


@pytest.mark.data
def test_client_turns_of_counseling_sessions_hardly_ever_fire(test_data: Path):
    with (test_data / "transcripts" / "annomi_dev.csv").open(encoding="utf-8", newline="") as file:
        said = [row["utterance_text"] for row in csv.DictReader(file) if row["interlocutor"] == "client"]
    assert len(said) > 2000
    assert np.mean([client(text).level > 0 for text in said]) < 0.01


def test_scores_do_not_depend_on_what_was_screened_before():
    weights: Weights = load_weights("en")
    alone = weights.scores(see(fold(CALM).text, "en"))
    client(GRAVE)
    assert weights.scores(see(fold(CALM).text, "en")).tolist() == alone.tolist()
