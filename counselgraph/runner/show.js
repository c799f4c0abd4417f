"use strict";

// Filters of a run's index. A session is found by its row and its own text, which are told apart by data-session.
const filters = document.querySelector(".filters");
if (filters) {
  const rows = [...document.querySelectorAll(".index tbody tr")];
  const sessions = [...document.querySelectorAll("details.folded")];
  const texts = sessions.map((session) => session.textContent.toLowerCase());
  const value = (key) => document.getElementById(`f-${key}`).value;

  const apply = () => {
    const words = value("text").trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, index) => {
      const fits =
        ["attitude", "technique", "stop"].every((key) => !value(key) || row.dataset[key] === value(key)) &&
        Number(row.dataset.risk) >= Number(value("risk")) &&
        (!words || texts[index].includes(words));
      row.hidden = sessions[index].hidden = !fits;
      shown += fits;
    });
    document.getElementById("count").textContent = `${shown} of ${rows.length} sessions`;
  };

  filters.hidden = false;
  filters.addEventListener("input", apply);
}

// A link into a folded session opens it.
const reveal = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  const folded = target && target.closest("details.folded");
  if (folded && !folded.open) {
    folded.open = true;
    target.scrollIntoView();
  }
};
addEventListener("hashchange", reveal);
reveal();

// On paper nothing can be unfolded.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open]):not([hidden])")];
  opened.forEach((each) => (each.open = true));
});
addEventListener("afterprint", () => opened.forEach((each) => (each.open = false)));
