"""Intake forms: every heading people write, and no sentence lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.errors import InputError
from counselgraph.personas.conceptualize import goals_in, thoughts_in
from counselgraph.personas.form_parser import parse_form, persona_from
from counselgraph.personas.persona import Attitude, Persona

USUAL = """Name:
Ada Lind
Age:
45 years
Gender: female
Occupation: Carpenter
Education: N/A
Marital Status: Not specified
Family Details:
- Two sons
- A sister nearby

2. Presenting Problem
I can't finish anything I build. The trouble began in May when I moved shop.
I think the cause is the new boss. It has become worse over time.
I notice it daily, especially when he walks past. I have tried to hurry.

3. Reason for Seeking Counseling
I want to enjoy my trade again.

4. Past History (including medical history)
I never had anything similar. I saw a therapist once. I have no physical illness. I grew up on a farm.

5. Academic/occupational functioning level: My work is slow.
Interpersonal relationships: I argue at home.
Daily life: I skip lunch.

6. Social Support System
My sister listens. My sons visit.
"""


def persona_of(text: str) -> Persona:
    return persona_from(parse_form(text), id="x", attitude=Attitude.NEUTRAL)


def kept(persona: Persona) -> str:
    """Everything of the form that the persona's own fields hold; derived fields do not count."""
    fields = persona.model_dump(
        exclude={"conceptualization", "goals", "source", "intake", "attitude_instruction", "opening"}
    )
    texts: list[str] = []

    def collect(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                texts.append(str(key))
                collect(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                collect(inner)
        else:
            texts.append(str(value))

    collect(fields)
    return " ".join(" ".join(texts).split())


def test_a_usual_form_fills_every_field() -> None:
    persona = persona_of(USUAL)
    who, problem, history = persona.demographics, persona.presenting_problem, persona.history
    assert (persona.name, who.age, who.gender, who.occupation) == ("Ada Lind", 45, "female", "Carpenter")
    assert (who.education, who.marital_status, who.family) == ("", "", "Two sons; A sister nearby")
    assert problem.statement == "I can't finish anything I build."
    assert problem.onset == "The trouble began in May when I moved shop."
    assert problem.cause == "I think the cause is the new boss."
    assert problem.course == "It has become worse over time."
    assert problem.triggers == "I notice it daily, especially when he walks past."
    assert problem.coping == "I have tried to hurry."
    assert persona.reason_for_counseling == "I want to enjoy my trade again."
    assert history.previous_episodes == "I never had anything similar."
    assert history.treatment == "I saw a therapist once."
    assert history.medical == "I have no physical illness."
    assert history.life == "I grew up on a farm."
    assert persona.functioning.work == "My work is slow."
    assert persona.functioning.relationships == "I argue at home."
    assert persona.functioning.daily_life == "I skip lunch."
    assert persona.supports == ("My sister listens.", "My sons visit.")
    assert persona.goals == ("I want to enjoy my trade again.",)
    assert persona.other == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: re.sub(r"(?m)^(\d\. [^:\n]+)", lambda match: match[0].upper(), text),
        lambda text: re.sub(r"(?m)^(\d\. [^:\n]+)", lambda match: match[0].lower(), text),
        lambda text: re.sub(r"(?m)^\d\. ", "", text),
        lambda text: re.sub(r"(?m)^(\d)\. ", lambda match: f"{int(match[1]) - 1}) ", text),
        lambda text: re.sub(r"(?m)^(\d\. .*)$", r"**\1**", text),
        lambda text: re.sub(r"(?m)^(\d\. .*)$", r"### \1", text),
        lambda text: re.sub(r"\n\n(?=\d)", "\n", text),
        lambda text: text.replace(" (including medical history)", " "),
        lambda text: text.replace("Academic/occupational functioning level", "Occupational functioning level"),
        lambda text: text.replace(
            "Academic/occupational functioning level:", "Academic/occupational functioning level\nOccupational:"
        ),
        lambda text: text.replace("functioning level: My", "functioning level\nMy"),
        lambda text: text.replace(": ", ":\n"),
        lambda text: text.replace(": ", "\uff1a"),
        lambda text: text.replace("Name:\n", "Name: ").replace("Age:\n", "AGE : "),
        lambda text: text.replace("Presenting Problem\n", "Presenting problem: "),
        lambda text: text.replace("Presenting Problem\n", "Presenting problem - "),
        lambda text: text.replace("Presenting Problem\n", "Presenting Problem "),
        lambda text: re.sub(r"(?<=[a-z]\.) ", "\n", text),
        lambda text: text.replace(".\nI ", ". I "),
    ],
)
def test_headings_may_vary(change: Callable[[str], str]) -> None:
    changed = change(USUAL)
    assert changed != USUAL
    assert persona_of(changed).model_copy(update={"goals": ()}) == persona_of(USUAL).model_copy(update={"goals": ()})


def test_hard_wrapped_lines_are_joined() -> None:
    wrapped = (
        "Name: Ada\n\nPresenting Problem\n"
        "I can't finish anything that I build in the new shop we moved to,\nand nobody\nknows why."
    )
    assert persona_of(wrapped).presenting_problem.statement.endswith("moved to, and nobody knows why.")


def test_unknown_parts_of_the_form_are_kept_under_their_heading() -> None:
    text = (
        USUAL.replace("Gender:", "Pets: a hen\nGender:")
        + "\n7. Hobbies and interests\nI sing.\nI row.\n\nDreams:\nNone I recall\n"
    )
    assert persona_of(text).other == {
        "Pets": "a hen",
        "Hobbies and interests": "I sing.\nI row.",
        "Dreams": "None I recall",
    }


def test_text_without_a_heading_is_kept() -> None:
    assert persona_of("Seen on Monday.\n\n" + USUAL).other == {"Notes": "Seen on Monday."}


def test_functioning_without_headings_is_sorted_by_its_words() -> None:
    text = "Name: Ada\nProblem: I worry.\n5. Functioning level\nMy job is fine. My friends stay away. I sleep badly.\n"
    functioning = persona_of(text).functioning
    assert functioning.work == "My job is fine."
    assert functioning.relationships == "My friends stay away."
    assert functioning.daily_life == "I sleep badly."


@pytest.mark.parametrize(
    ("written", "age", "other"),
    [
        ("45", 45, {}),
        ("45 years old", 45, {}),
        ("45-year-old", 45, {}),
        ("45\u5c81", 45, {}),
        ("0", 0, {}),
        ("forty-five", None, {"Age": "forty-five"}),
        ("late 40s", None, {"Age": "late 40s"}),
        ("Not specified", None, {}),
    ],
)
def test_ages(written: str, age: int | None, other: dict[str, str]) -> None:
    persona = persona_of(f"Name: Ada\nAge: {written}\n\nProblem\nI worry.")
    assert (persona.demographics.age, persona.other) == (age, other)


@pytest.mark.parametrize("written", ["400", "121", "-3", "400 years"])
def test_an_impossible_age_is_an_error(written: str) -> None:
    with pytest.raises(InputError, match="age is") as caught:
        persona_of(f"Name: Ada\nAge: {written}\n\nProblem\nI worry.")
    assert caught.value.field == "Age"
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Age: 40\n\nProblem\nI worry.", "Name"),
        ("Name: Not specified\n\nProblem\nI worry.", "Name"),
        ("Name: Ada\n\nReason for coming\nI worry.", "Presenting Problem"),
        ("Name: Ada\n\n2. Presenting Problem\nNot specified.\n", "Presenting Problem"),
    ],
)
def test_a_form_without_the_essentials_is_an_error(text: str, field: str) -> None:
    with pytest.raises(InputError) as caught:
        persona_of(text)
    assert caught.value.field == field
    assert caught.value.fix


@pytest.mark.parametrize("word", ["Not specified", "N/A", "none", "UNKNOWN.", "Undisclosed", "not provided", "-"])
def test_ways_of_saying_nothing_mean_unknown(word: str) -> None:
    persona = persona_of(
        f"Name: Ada\nGender: {word}\n\nProblem\nI worry.\n\nDaily life: {word}\n\nSupport system\n{word}"
    )
    assert (persona.demographics.gender, persona.functioning.daily_life, persona.supports) == ("", "", ())


def test_a_chinese_form() -> None:
    text = (
        "姓名\uff1a王芳\n年龄\uff1a30岁\n性别\uff1a女\n爱好\uff1a唱歌\n\n二、主诉\n我睡不好。这种情况从去年开始。每当开会我就心慌。\n\n"
        "三、求助原因\n我想睡好。\n\n四、既往史\n我以前没有类似问题。\n\n五、学业/职业功能水平\uff1a我上班迟到。\n人际关系\uff1a还好。\n"
        "日常生活\uff1a我不做饭。\n\n六、社会支持系统\n姐姐常来。"
    )
    persona = persona_of(text)
    assert (persona.language, persona.name, persona.demographics.age, persona.demographics.gender) == (
        "zh",
        "王芳",
        30,
        "女",
    )
    assert persona.presenting_problem.statement == "我睡不好。"
    assert persona.presenting_problem.onset == "这种情况从去年开始。"
    assert persona.presenting_problem.triggers == "每当开会我就心慌。"
    assert persona.reason_for_counseling == "我想睡好。"
    assert persona.history.previous_episodes == "我以前没有类似问题。"
    assert persona.functioning.work == "我上班迟到。"
    assert persona.functioning.daily_life == "我不做饭。"
    assert persona.supports == ("姐姐常来。",)
    assert persona.other == {"爱好": "唱歌"}


HEADINGS = {
    "problem": ["Presenting Problem", "PRESENTING PROBLEM", "Chief complaint", "Main issue"],
    "reason": ["Reason for Seeking Counseling", "reason for counselling", "Reasons for coming"],
    "history": ["Past History (including medical history)", "Past History ", "History"],
    "work": ["Academic/occupational functioning level", "Occupational Functioning Level", "Work"],
    "relationships": ["Interpersonal relationships", "Relationships"],
    "daily_life": ["Daily life", "Daily functioning"],
    "supports": ["Social Support System", "Support network"],
    "unknown": ["Hobbies and interests", "Spiritual life", "Sleep diary"],
}
CUES = [
    "began in May",
    "have tried pills",
    "worse",
    "daily",
    "because of the cause",
    "counseling",
    "my job",
    "similar",
    "",
]


@st.composite
def forms(draw: st.DrawFn) -> tuple[str, dict[str, list[str]]]:
    """A form in some layout, and the sentences of each section."""
    order = ["problem", *draw(st.lists(st.sampled_from(sorted(HEADINGS.keys() - {"problem"})), unique=True))]
    parts, said, number = ["Name: Ada"], dict[str, list[str]](), 0
    for place, key in enumerate(draw(st.permutations(order)), start=1):
        cues = draw(st.lists(st.sampled_from(CUES), min_size=1, max_size=4))
        said[key] = [f"I say thing {(number := number + 1)}x {cue}.".replace(" .", ".") for cue in cues]
        title = draw(st.sampled_from(HEADINGS[key]))
        mark = f"{place}. " if key == "unknown" else draw(st.sampled_from(["", f"{place}. ", f"{place}) "]))
        colon = draw(st.sampled_from(["\n", ":\n", ": ", " :\n"]))
        parts.append(f"{mark}{title}{colon}{draw(st.sampled_from([' ', chr(10)])).join(said[key])}")
    text = draw(st.sampled_from(["\n", "\n\n"])).join(parts)
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))), said


@given(forms())
def test_every_sentence_is_kept_once_and_in_its_place(form: tuple[str, dict[str, list[str]]]) -> None:
    text, said = form
    persona = persona_of(text)
    everything = kept(persona)
    places = {
        "problem": persona.presenting_problem,
        "reason": persona.reason_for_counseling,
        "history": persona.history,
        "work": persona.functioning.work,
        "relationships": persona.functioning.relationships,
        "daily_life": persona.functioning.daily_life,
        "supports": persona.supports,
        "unknown": persona.other,
    }
    for key, texts in said.items():
        for sentence in texts:
            assert everything.count(sentence) == 1
            assert sentence in str(places[key])


@given(
    st.lists(st.lists(st.from_regex(r"zq[a-z]{1,6}[.:?,]?", fullmatch=True), max_size=6).map(" ".join)).map("\n".join)
)
def test_no_word_of_any_text_is_lost(text: str) -> None:
    form = parse_form(text)
    found = " ".join([*form.head.values(), *(line for lines in form.sections.values() for line in lines)])
    found += " ".join(part for pair in form.other.items() for part in pair)
    assert [word for word in re.findall(r"zq\w+", text) if word not in found] == []


@given(st.text(max_size=400))
def test_no_text_crashes_the_parser(text: str) -> None:
    try:
        assert persona_of(text).name
    except InputError as refusal:
        fix = refusal.fix
    else:
        fix = "none needed"
    assert fix


@pytest.mark.parametrize(
    ("sentence", "thought"),
    [
        ("I believe that nobody will come, which has made me sad.", "Nobody will come."),
        ("I have the thought that I can't sing, despite years of lessons.", "I can't sing."),
        ("I feel like I will lose my place, and this keeps me awake.", "I will lose my place."),
        ("There is a constant fear that if I stop, they will leave, causing worry.", "If I stop, they will leave."),
        ("I feel like a fraud because I got lucky.", "I am a fraud."),
        ("I am afraid of losing my job due to cuts.", "I might end up losing my job."),
        ("I think he hates my cooking.", "He hates my cooking."),
        ("The belief that i'm slow and i am late came back.", "I'm slow and I am late came back."),
        ("I doubt my ability to drive.", "I won't be able to drive."),
    ],
)
def test_thoughts_are_the_words_in_the_head(sentence: str, thought: str) -> None:
    assert thoughts_in(sentence) == [thought]


@pytest.mark.parametrize(
    "sentence",
    [
        "I feel sad.",
        "I believe the cause is the move.",
        "I think the stress of the move is to blame.",
        "I run every day.",
    ],
)
def test_a_sentence_without_a_thought_gives_none(sentence: str) -> None:
    assert thoughts_in(sentence) == []


@pytest.mark.parametrize(
    ("reason", "goals"),
    [
        ("I would like to sleep again.", ("I would like to sleep again.",)),
        ("It led me to seek counseling to sort this out.", ("I want to sort this out.",)),
        ("It was time to seek therapy for help with sleep.", ("I would like help with sleep.",)),
        ("I decided to seek counseling at this time.", ()),
    ],
)
def test_goals_come_out_of_the_reason(reason: str, goals: tuple[str, ...]) -> None:
    assert goals_in([reason]) == goals
