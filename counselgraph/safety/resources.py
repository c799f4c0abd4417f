"""Crisis services by country, read from `resources.yaml` and checked on load. No contact comes from anywhere else."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from pydantic import Field, ValidationError, model_validator

from counselgraph.errors import InputError
from counselgraph.safety.levels import Frozen
from counselgraph.yaml_text import load_yaml

INTERNATIONAL = "international"
_NOT_DIGIT = re.compile(r"\D+")


class Resource(Frozen):
    """One service.

    Attributes:
        phone: Number to call.
        text: Number to text, or what to text where ("HOME to 741741").
        url: Address of its page, without "https://".
        hours: When it is open.
        languages: ISO 639 codes.
        source: The organisation's own page, or the authority that runs it.
        checked: When the entry was last looked at.
        how: How it was checked.
    """

    name: str = Field(min_length=2)
    phone: str | None = None
    text: str | None = None
    url: str | None = None
    hours: str = Field(min_length=2)
    languages: tuple[str, ...] = Field(min_length=1)
    source: str = Field(min_length=2)
    checked: date
    how: str

    @model_validator(mode="after")
    def _can_be_reached(self) -> Resource:
        if not (self.phone or self.text or self.url):
            raise ValueError(f"{self.name} needs a phone, a text or a url")
        return self

    @property
    def contact(self) -> str:
        """How to reach it, in words that fit after its name: "call or text 988"."""
        if self.phone:
            return f"call or text {self.phone}" if self.text == self.phone else f"call {self.phone}"
        return f"text {self.text}" if self.text else str(self.url)

    @property
    def numbers(self) -> frozenset[str]:
        """Its numbers, digits only."""
        return frozenset(digits for contact in (self.phone, self.text) if contact and (digits := digits_of(contact)))


class Resources(Frozen):
    """What one country offers.

    Attributes:
        locale: ISO country code, "EU" or "international".
        emergency: Number of the emergency services, or words where there is no one number.
        lines: Crisis services, the first one to offer first.
    """

    locale: str
    emergency: str
    lines: tuple[Resource, ...] = Field(min_length=1)

    @property
    def first(self) -> Resource:
        """The service to offer first."""
        return self.lines[0]

    @property
    def numbers(self) -> frozenset[str]:
        """Every number listed, the emergency number included, digits only."""
        listed = frozenset().union(*(line.numbers for line in self.lines))
        digits = digits_of(self.emergency)
        return listed | {digits} if digits else listed

    @property
    def urls(self) -> frozenset[str]:
        """Every address listed."""
        return frozenset(line.url for line in self.lines if line.url)

    @property
    def spoken(self) -> tuple[str, ...]:
        """Names, numbers and addresses as they are written."""
        every = [(line.name, line.phone, line.text, line.url) for line in self.lines]
        return tuple(contact for contacts in every for contact in contacts if contact)

    def named_in(self, text: str) -> bool:
        """Whether a text gives one of these contacts: a number, an address or the name of a service."""
        folded = text.casefold()
        if any(name.casefold() in folded for name in (*self.urls, *(line.name for line in self.lines))):
            return True
        return any(re.search(rf"(?<!\d){_spaced(number)}(?!\d)", text) for number in self.numbers)


class Table(Frozen):
    """The whole file, with what every entry inherits filled in."""

    aliases: dict[str, str]
    international: Resources
    countries: dict[str, Resources]


def digits_of(text: str) -> str:
    """The digits of a text, nothing else."""
    return _NOT_DIGIT.sub("", text)


def resources_for(locale: str) -> Resources:
    """The crisis services of a country.

    Args:
        locale: A country code ("US", "uk") or a language code with one ("en-GB", "de_AT.UTF-8"). Two letters alone are
            read as a country.

    Returns:
        The country's services; the international directory if the country is not listed.
    """
    table = load_table()
    code = re.split(r"[-_]", locale.strip().split(".")[0].upper())[-1]
    return table.countries.get(table.aliases.get(code, code), table.international)


@lru_cache(maxsize=1)
def load_table() -> Table:
    """Read and check `resources.yaml`, once.

    Raises:
        InputError: An entry is not valid.
    """
    path = files("counselgraph.safety") / "resources.yaml"
    return read_table(load_yaml(path.read_text(encoding="utf-8")), name="resources.yaml")


def read_table(raw: dict[str, Any], *, name: str) -> Table:
    """Validate a table of services.

    Args:
        raw: Content of a resource file.
        name: What to call it in an error message.

    Raises:
        InputError: An entry is not valid.
    """
    inherited = {"how": raw.get("how"), "checked": raw.get("checked")}
    try:
        countries = {code: _filled(code, entry, inherited) for code, entry in raw["countries"].items()}
        international = _filled(INTERNATIONAL, raw["international"], inherited)
        return Table.model_validate(
            {"aliases": raw.get("aliases", {}), "international": international, "countries": countries}
        )
    except (ValidationError, KeyError) as error:
        raise InputError(f"The resources are not valid: {error}", file=name, fix="Correct the entry.") from error


def _filled(locale: str, entry: dict[str, Any], inherited: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "locale": locale, "lines": [inherited | line for line in entry["lines"]]}


def _spaced(number: str) -> str:
    """A pattern for a number however its digits are grouped."""
    return r"[ .\-]?".join(number)
