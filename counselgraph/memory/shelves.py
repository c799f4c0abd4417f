"""What was read of an owner and a client, kept in this process until somebody writes there.

Only for a folder, which this process has for itself: behind a server others write as well.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

from counselgraph.memory.ranking import Candidates

# About 4 KB each, vector and word counts: 40 MB at most.
_MOST_MEMORIES = 10_000


class Shelves:
    """Candidates by scope, the longest unused thrown out first.

    Args:
        most: Memories kept at once, over all scopes.
    """

    def __init__(self, most: int = _MOST_MEMORIES) -> None:
        self._most = most
        self._kept: OrderedDict[str, Candidates] = OrderedDict()
        self._size = 0
        self._reading: dict[str, set[object]] = {}
        self._guard = threading.Lock()

    def get(self, scope: str, read: Callable[[], Candidates]) -> Candidates:
        """Return what is kept of a scope, or read it and keep it.

        What is read while somebody writes there is returned and not kept.
        """
        with self._guard:
            if (found := self._kept.get(scope)) is not None:
                self._kept.move_to_end(scope)
                return found
            ticket = object()
            self._reading.setdefault(scope, set()).add(ticket)
        found = None
        try:
            found = read()
            return found
        finally:
            self._finish(scope, ticket, found)

    def drop(self, scopes: Iterable[str] | None = None) -> None:
        """Throw away what is kept of some scopes, or of all; to be called after every write."""
        with self._guard:
            for scope in set(scopes) if scopes is not None else {*self._kept, *self._reading}:
                self._reading.pop(scope, None)
                self._remove(scope)

    def _finish(self, scope: str, ticket: object, found: Candidates | None) -> None:
        """Keep what was read unless somebody wrote since the ticket was drawn."""
        with self._guard:
            tickets = self._reading.get(scope, set())
            if ticket in tickets and found is not None:
                self._keep(scope, found)
            tickets.discard(ticket)
            if not tickets:
                self._reading.pop(scope, None)

    def _keep(self, scope: str, found: Candidates) -> None:
        self._remove(scope)
        self._kept[scope] = found
        self._size += len(found.records)
        while self._size > self._most:
            self._remove(next(iter(self._kept)))

    def _remove(self, scope: str) -> None:
        if (gone := self._kept.pop(scope, None)) is not None:
            self._size -= len(gone.records)
