from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from counselgraph.errors import InputError
from counselgraph.safety.resources import INTERNATIONAL, load_table, read_table, resources_for

LINE = {"name": "Line", "phone": "100", "hours": "24/7", "languages": ["en"], "source": "line.example"}


def table(**line: Any) -> dict[str, Any]:
    whole = {"emergency": "112", "lines": [LINE | line]}
    return {"how": "by hand", "checked": date(2026, 1, 1), "international": whole, "countries": {"XX": whole}}


@pytest.mark.parametrize(
    ("locale", "number"),
    [("US", "988"), ("en-US", "988"), ("en_GB.UTF-8", "116123"), ("uk", "116123"), ("FR", "3114"), ("NO", "116123")],
)
def test_a_country_has_its_own_numbers(locale: str, number: str):
    assert number in resources_for(locale).numbers


@pytest.mark.parametrize("locale", ["", "en", "xx", "zz-ZZ", "international"])
def test_an_unknown_place_gets_the_international_directory_and_no_countrys_number(locale: str):
    resources = resources_for(locale)
    assert resources.locale == INTERNATIONAL
    assert resources.numbers == frozenset()
    assert resources.first.url == "findahelpline.com"


def test_every_entry_says_where_it_is_from_and_that_it_is_unverified():
    lines = [line for resources in load_table().countries.values() for line in resources.lines]
    assert len(lines) > 25
    assert all(line.checked == date(2026, 11, 20) and "to be verified" in line.how for line in lines)


def test_a_contact_is_known_however_its_digits_are_grouped():
    resources = resources_for("AU")
    assert resources.named_in("call 131114") and resources.named_in("call 13 11 14")  # noqa: PT018 - one claim
    assert not resources.named_in("it cost 1311145 in total")


@pytest.mark.parametrize("line", [{"phone": None}, {"languages": []}, {"source": ""}, {"colour": "red"}])
def test_an_entry_that_cannot_be_used_is_refused(line: dict[str, Any]):
    with pytest.raises(InputError, match=r"^mine\.yaml: The resources are not valid"):
        read_table(table(**line), name="mine.yaml")
