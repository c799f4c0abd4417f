"""Splits: which part of an export a session belongs to, so that nobody is in two of them."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from counselgraph.errors import InputError
from counselgraph.runner.log import Event

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_FIX = "write shares that add up to 1, such as train=0.8,dev=0.1,test=0.1"
_RANGE = 2**64


@dataclass(frozen=True, slots=True)
class Splits:
    """Named shares, and the seed by which clients are dealt out to them.

    A client's split is a hash of the client and the seed, compared with the shares: it depends on nobody else, so
    sessions that are added later move nobody.

    Attributes:
        shares: Name to share of the clients, in the order of their ranges; one nameless share is no split at all.
        seed: Deals anew.
    """

    shares: Mapping[str, float]
    seed: int = 0

    @classmethod
    def of(cls, shares: Mapping[str, float] | None, seed: int = 0) -> Splits:
        """Splits out of shares; None is one for all.

        Raises:
            InputError: A name or a share cannot be used, or the shares do not add up to 1.
        """
        if shares is None:
            return cls({"": 1.0}, seed)
        for name, share in shares.items():
            if not _NAME.fullmatch(name):
                raise InputError(f"{name!r} is no name for a split.", field="split", fix="use letters, digits, - and _")
            if not 0 < share <= 1:  # also what is no number
                raise InputError(f"the share of {name!r} is {share}.", field="split", fix=_FIX)
        total = math.fsum(shares.values())
        if not math.isclose(total, 1, abs_tol=1e-6):
            raise InputError(f"the shares add up to {total:g}.", field="split", fix=_FIX)
        return cls(dict(shares), seed)

    def name_for(self, client: str) -> str:
        """The split of a client."""
        digest = hashlib.sha256(f"{self.seed}\x1f{client}".encode()).digest()
        place = int.from_bytes(digest[:8], "big") / _RANGE
        ends = zip(self.shares, accumulate(self.shares.values()), strict=True)
        return next((name for name, end in ends if place < end), list(self.shares)[-1])


def parse_shares(text: str) -> dict[str, float]:
    """Shares out of `train=0.8,dev=0.1,test=0.1`.

    Raises:
        InputError: The text is no list of shares, or has a name twice.
    """
    found: dict[str, float] = {}
    for item in text.split(","):
        name, _, share = (part.strip() for part in item.partition("="))
        try:
            number = float(share)
        except ValueError as error:
            raise InputError(f"{item.strip()!r} is no share.", field="split", fix=_FIX) from error
        if name in found:
            raise InputError(f"{name!r} is there twice.", field="split", fix=_FIX)
        found[name] = number
    return found


def client_of(header: Event) -> str:
    """Who a session's client is: the same for replicates, forks and every attitude of one intake form.

    An importer that makes several personas of one form ends their ids in the attitude and gives them the form's name.
    Two forms of one name count as one client: rather too few clients than one in two splits.
    """
    persona = header["persona"]
    of_a_form = persona["id"].endswith(f"-{persona['attitude']}")
    return f"name {persona['name'].casefold()}" if of_a_form else f"id {persona['id']}"
