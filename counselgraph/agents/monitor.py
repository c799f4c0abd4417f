"""An optional model screen: a monitor that reads the dialogue and gives a typed verdict."""

from __future__ import annotations

from counselgraph.agents.ask import Ask
from counselgraph.agents.prompts import render
from counselgraph.agents.role import Update, role
from counselgraph.agents.views import MonitorView
from counselgraph.errors import ModelError
from counselgraph.safety.levels import Side, Verdict
from counselgraph.safety.policy import assess


@role(view=MonitorView, after="client")
async def monitor(view: MonitorView, ask: Ask) -> Update:
    """Judges the client's last turn with a model, after the rules; can raise the level, never lower it."""
    try:
        verdict = await ask.typed(Verdict, render("monitor"), view["messages"], "Judge the client's last turn.")
    except ModelError as error:
        ask.emit({"event": "error", "role": "monitor", "message": str(error)})
        verdict = Verdict(side=Side.CLIENT, failed=True)
    # Whatever side the model names, it was asked about the client.
    verdicts = [*view["verdicts"], verdict.model_copy(update={"side": Side.CLIENT})]
    return {"verdicts": verdicts, "risk": assess(view.get("risk_before"), *verdicts)}
