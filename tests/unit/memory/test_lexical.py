from __future__ import annotations

import subprocess
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.memory.lexical import LexicalEmbedder, fold, tokens

PythonRunner = Callable[..., subprocess.CompletedProcess[str]]

EMBED = LexicalEmbedder()


def nearness(first: str, second: str) -> float:
    vectors = EMBED([first, second])
    return float(vectors[0] @ vectors[1])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_vectors_have_length_one_or_zero(texts: list[str]) -> None:
    vectors = EMBED(texts)
    assert vectors.shape == (len(texts), 512)
    assert vectors.dtype == np.float32
    lengths = np.linalg.norm(vectors, axis=1)
    assert all(
        abs(length - 1) < 1e-5 or (length == 0 and not tokens(t)) for length, t in zip(lengths, texts, strict=True)
    )


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_a_text_gets_the_same_vector_alone_and_in_any_batch(texts: list[str]) -> None:
    together = EMBED(texts)
    alone = np.concatenate([EMBED([text]) for text in texts])
    np.testing.assert_array_equal(together, alone)


def test_batches_longer_than_a_chunk_keep_their_order() -> None:
    texts = [f"memory number {n}" for n in range(600)]
    vectors = EMBED(texts)
    np.testing.assert_array_equal(vectors[[0, 255, 256, 599]], EMBED([texts[0], texts[255], texts[256], texts[599]]))


def test_vectors_are_the_same_in_another_process(run_python: PythonRunner) -> None:
    script = (
        "from counselgraph.memory import load_embedder; import hashlib, sys;"
        "print(hashlib.sha256(load_embedder()([sys.argv[1]]).tobytes()).hexdigest())"
    )
    text = "My sister worries, and so do I. 我晚上睡不着。"
    seeds = [run_python(script, text, env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."}) for seed in ("1", "2")]
    assert [done.stderr for done in seeds] == ["", ""]
    assert seeds[0].stdout == seeds[1].stdout


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("She cannot sleep before exams.", "Sleeping is hard when an exam is near.", "She plays the guitar in a band."),
        ("He runs each morning.", "Running helps him.", "He reads at night."),
        ("worried about his mother", "He keeps worrying for his mother's health", "about his of the and for"),
        ("我晚上睡不着,总是担心考试", "考试让他担心,睡不着", "我哥哥在乐队里弹吉他"),
        ("試験が心配で眠れない", "眠れないほど試験が心配だ", "兄はバンドでギターを弾く"),
        ("시험이 걱정돼서 잠을 못 자요", "시험 때문에 걱정이 많아요", "형은 밴드에서 기타를 쳐요"),
        ("นอนไม่หลับเพราะกังวลเรื่องสอบ", "กังวลเรื่องสอบมาก", "พี่ชายเล่นกีตาร์"),
        ("परीक्षा की चिंता है", "मुझे परीक्षा की बहुत चिंता होती है", "मेरा भाई गिटार बजाता है"),
        ("no he podido dormir por los exámenes", "los exámenes no me dejan dormir", "mi hermano toca la guitarra"),
        ("🙂🙂", "she wrote 🙂", "she wrote 😢"),
    ],
)
def test_texts_about_the_same_are_nearer(text: str, near: str, far: str) -> None:
    assert nearness(text, near) > nearness(text, far) + 0.1


def test_case_width_and_apostrophe_style_make_no_difference() -> None:
    assert nearness("I DON'T like Exams", "i don\u2019t like exams") == pytest.approx(1)
    assert nearness("\uff25\uff38\uff21\uff2d", "exam") == pytest.approx(1)


def test_function_words_weigh_little_but_are_not_lost() -> None:
    assert nearness("the exam of the year", "an exam in a year") > 0.85
    assert nearness("it is what it is", "it is") > 0.5


def test_saying_a_word_often_does_not_drown_the_others() -> None:
    assert nearness("exam " * 50 + "mother", "mother") > 0.15


@pytest.mark.parametrize(
    "family",
    [
        ("run", "runs", "running"),
        ("worry", "worries", "worried", "worrying"),
        ("family", "families"),
        ("hope", "hopes", "hoped", "hoping"),
        ("class", "classes"),
        ("feel", "feels", "feeling", "feelings"),
        ("mother", "mothers", "mother's"),
        ("stress", "stressed", "stresses", "stressing"),
    ],
)
def test_inflected_forms_fold_together(family: tuple[str, ...]) -> None:
    assert len({fold(word) for word in family}) == 1


@pytest.mark.parametrize("word", ["bring", "spring", "speed", "bed", "is", "bus", "grün", "睡"])
def test_words_that_only_look_inflected_stay(word: str) -> None:
    assert fold(word) == word


def test_unspaced_scripts_become_character_grams() -> None:
    assert tokens("睡不着 now") == ["睡", "不", "着", "睡不", "不着", "睡不着", "now"]


def test_marks_do_not_cut_words() -> None:
    assert tokens("हिन्दी सीखो") == ["हिन्दी", "सीखो"]


def test_a_very_long_text_is_embedded() -> None:
    assert np.linalg.norm(EMBED(["sleep and worry " * 100_000])) == pytest.approx(1)


def test_the_name_tells_version_and_dimension() -> None:
    assert (EMBED.name, LexicalEmbedder(128).name) == ("lexical-v1-512", "lexical-v1-128")
    assert LexicalEmbedder(128)(["text"]).shape == (1, 128)


def test_vectors_of_version_one_never_change() -> None:
    # A store keeps vectors for years under this name: another result needs another version.
    texts = ["She couldn't sleep before the exam.", "我晚上睡不着", "it was what it was 🙂"]
    fingerprints = EMBED(texts).astype(float) @ np.arange(512)
    assert fingerprints.tolist() == pytest.approx([132.3867, 147.7462, -300.5913], abs=0.01)


def test_a_tiny_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 64"):
        LexicalEmbedder(8)
