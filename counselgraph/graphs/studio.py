"""Graphs for LangGraph Studio: at module level and without a checkpointer, since the server brings its own."""

from __future__ import annotations

from counselgraph.graphs.session import build_chat, build_session

session = build_session().compile(name="session")
chat = build_chat().compile(name="chat")
