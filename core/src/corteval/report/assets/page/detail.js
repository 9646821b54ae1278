// What lies behind a cell.
const listed = (title, header, lines) => {
  const made = element("table");
  made.createCaption().textContent = title;
  const top = made.createTHead().insertRow(), inside = made.createTBody();
  for (const text of header) {
    const cell = element("th", text);
    cell.scope = "col";
    top.append(cell);
  }
  for (const line of lines) {
    const row = inside.insertRow();
    for (const text of line) row.insertCell().textContent = text;
  }
  return made;
};
let opener = null;
const open = (cell, silent) => {
  prepare(data[rows.indexOf(cell.parentElement)]);
  const [i, j] = cell.dataset.at.split(",").map(Number);
  const entry = data[i], fact = more.get(i + "," + j);
  get("detail-title").textContent = entry.model + " on " + benchmarks[j];
  const list = document.querySelector("#detail dl"), notes = document.querySelector("#detail ul");
  list.textContent = "";
  notes.textContent = "";
  document.querySelectorAll("#detail table, #detail .walk, #detail figure").forEach((old) => old.remove());
  const say = (name, value) => list.append(element("dt", name), element("dd", value));
  const add = (...parts) => notes.before(...parts.filter(Boolean));
  say("Score", entry.texts[j + 3]);
  if (entry.marks[j + 3]) say("Marked", entry.marks[j + 3]);
  if (entry.bounds[j + 3]) say("95 % interval", entry.bounds[j + 3]);
  if (fact) {
    say("Raw", fact[2] === null ? "none" : String(fact[2]));
    say("Ceiling", fact[3] === null ? "none" : String(fact[3]));
    if (fact[5]) say("Records", String(Array.isArray(fact[5]) ? fact[5].length : fact[5]));
    notes.append(...fact[4].map((n) => element("li", facts.notes[n])));
    const told = (value) => (value === null ? "undefined" : String(value));
    if (Array.isArray(fact[5])) {
      add(records(fact[5]), listed("Records, the oldest first", ["Value", "Made"], fact[5].map(([value, date]) => [told(value), date])));
    }
    if (fact[6]) {
      add(strip(fact[6], told), listed("Raw values by subject", ["Subject", "Median", "Quartiles", "Values"],
        fact[6].map(([n, middle, low, high, count]) => [facts.names[n], told(middle), middle === null ? "–" : low + " to " + high, String(count)])));
    } else if (facts.leftOut) say("Subjects", "too many for this page; `corteval report --site` shows them");
  }
  const curve = facts.layers[i + "," + j];
  if (curve !== undefined) {
    const copy = get("curve-" + curve).cloneNode(true);
    copy.removeAttribute("id");
    copy.querySelectorAll("[role=region]").forEach((part) => part.setAttribute("aria-label", part.getAttribute("aria-label") + " of this cell"));
    add(copy);
  }
  get("detail").hidden = false;
  opener = entry.row.cells[j + 3];
  if (!silent) { state.at = entry.model + "|" + benchmarks[j]; write(); get("close").focus(); }
};
const close = () => {
  get("detail").hidden = true;
  state.at = "";
  write();
  if (opener) { reveal(data[opener.parentElement.dataset.index]); focus(opener); }
};
get("close").addEventListener("click", close);
get("detail").addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
