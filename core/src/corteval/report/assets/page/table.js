// The table of scores: sorting, filtering, keys; of a large one only the rows in sight.
head.forEach((cell, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...cell.childNodes);
  cell.append(button);
  cell.setAttribute("aria-sort", "none");
  button.addEventListener("click", () => {
    const text = cell.dataset.kind === "text";
    const down = state.s === names[column] ? state.d !== "down" : !text && column !== 1;
    state.s = names[column];
    state.d = down ? "down" : "up";
    write();
    apply();
  });
});

// One heading is reached by the tabulator key, the others from there by the arrow keys, as cells are.
const buttons = head.map((cell) => cell.querySelector("button"));
const shownAt = (column) => column < 3 || columns[column - 3];
const stand = (column) => { buttons.forEach((button, n) => { button.tabIndex = n === column ? 0 : -1; }); };
table.tHead.addEventListener("focusin", (event) => { const n = buttons.indexOf(event.target); if (n >= 0) stand(n); });
table.tHead.addEventListener("keydown", (event) => {
  let n = buttons.indexOf(event.target);
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (n < 0 || (!step && event.key !== "ArrowDown")) return;
  event.preventDefault();
  if (!step) {
    const entry = view.find((e) => e.row.isConnected), column = Math.max(n, 3 + columns.indexOf(true));
    if (entry && columns.includes(true)) focus(entry.row.cells[column]);
    return;
  }
  do n += step; while (buttons[n] && !shownAt(n));
  if (buttons[n]) buttons[n].focus();
});
stand(0);
box.setAttribute("aria-label", "Table of scores. Arrow keys walk through headings and cells; Enter sorts by a heading, or opens a cell");

body.addEventListener("click", (event) => {
  const cell = event.target.closest("td[data-at]");
  if (cell) open(cell);
});
body.addEventListener("keydown", (event) => {
  const cell = event.target.closest("td[data-at]");
  if (!cell) return;
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(cell); return; }
  const way = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  walking = Boolean(way);
  if (!way) return;
  event.preventDefault();
  const row = cell.parentElement, entry = view[view.indexOf(data[row.dataset.index]) + way[0]];
  let place = [...row.cells].indexOf(cell) + way[1];
  while (columns[place - 3] === false) place += way[1];
  if (way[0] < 0 && row.dataset.index === String(view[0].index)) { buttons[place].focus(); return; }
  if (!entry || place < 3 || place >= names.length) return;
  reveal(entry);
  focus(entry.row.cells[place]);
});

// Of a large table only the rows in sight are in the document: laying out all takes seconds.
const windowed = rows.length * benchmarks.length > 3000, spare = 6;
const spaces = [0, 1].map(() => {
  const row = document.createElement("tr");
  row.setAttribute("aria-hidden", "true");
  row.append(document.createElement("td"));
  row.firstChild.colSpan = names.length;
  return row;
});
let view = data, columns = benchmarks.map(() => true), mark = "", from = -1, to = -1, usual = 40, widths = null;
let walking = false;  // by the arrow keys, which are faster than frames: the row that has the focus stays
const prepare = (entry) => {
  if (entry.row.dataset.index === undefined) {
    entry.row.dataset.index = entry.index;
    for (let n = 3; n < names.length; n++) {
      entry.row.cells[n].tabIndex = -1;
      entry.row.cells[n].dataset.at = entry.index + "," + (n - 3);
    }
  }
  hide(entry);
};
const hide = (kept) => {
  if (kept.columns === mark) return;
  columns.forEach((shown, j) => { const cell = kept.row.cells[j + 3]; if (cell.hidden === shown) cell.hidden = !shown; });
  kept.columns = mark;
};
const tall = (entry) => entry.height || usual;
const render = (anew) => {
  if (!windowed) {
    if (!anew) return;
    view.forEach(prepare);
    body.replaceChildren(...view.map((entry) => entry.row));
    return;
  }
  let start = 0, above = 0;
  const top = box.scrollTop, bottom = top + box.clientHeight;
  while (start < view.length - 1 && above + tall(view[start]) < top) above += tall(view[start++]);
  let end = start, reached = above;
  while (end < view.length && reached < bottom) reached += tall(view[end++]);
  if (!anew && start >= from && end <= to) return;
  from = Math.max(0, start - spare);
  to = Math.min(view.length, Math.max(end, start + 1) + spare);
  const active = document.activeElement.closest("tr[data-index]");
  const place = active ? view.indexOf(data[active.dataset.index]) : -1;
  if (place >= 0 && (walking || (place >= from - 60 && place < to + 60))) {
    from = Math.min(from, place);
    to = Math.max(to, place + 1);
  }
  show(from, to);
};
const show = (low, high) => {
  const shown = view.slice(low, high), total = (part) => part.reduce((sum, entry) => sum + tall(entry), 0);
  shown.forEach(prepare);
  shown.forEach((entry, n) => entry.row.setAttribute("aria-rowindex", low + n + 3));
  spaces[0].firstChild.style.height = total(view.slice(0, low)) + "px";
  spaces[1].firstChild.style.height = total(view.slice(high)) + "px";
  spaces[0].hidden = low === 0;
  spaces[1].hidden = high >= view.length;
  const active = body.contains(document.activeElement) ? document.activeElement : null;
  body.replaceChildren(spaces[0], ...shown.map((entry) => entry.row), spaces[1]);
  if (active) (active.isConnected ? active : box).focus({ preventScroll: true });
  if (!active || !active.isConnected) reachable();
};
// Some cell of those in sight can be reached by the tabulator key.
const reachable = () => {
  if (focusable && !focusable.hidden && focusable.isConnected) return;
  const place = columns.indexOf(true), entry = view.find((e) => e.row.isConnected);
  if (entry && place >= 0) focus(entry.row.cells[place + 3], true);
};
const measure = () => {
  const seen = view.slice(from, to);
  if (seen.every((entry) => entry.height)) return;
  seen.forEach((entry) => { entry.height = entry.row.offsetHeight; });
  usual = seen.reduce((sum, entry) => sum + entry.height, 0) / seen.length;
};
const reveal = (entry) => {
  if (entry.row.parentElement) return;
  const place = view.indexOf(entry);
  if (place < 0) return;
  from = Math.max(0, place - 3 * spare);
  to = Math.min(view.length, place + 3 * spare);
  show(from, to);
};
// Widths are held, or they would change with the rows in sight.
const hold = () => {
  widths = widths || head.map((cell) => Math.ceil(cell.getBoundingClientRect().width));
  head.forEach((cell, n) => { cell.style.width = widths[n] + "px"; });
  const sum = widths.reduce((total, width, n) => total + (n < 3 || columns[n - 3] ? width : 0), 0);
  table.style.width = sum + "px";
  table.classList.add("held");
};
if (windowed) {
  table.setAttribute("aria-rowcount", rows.length + 2);
  let waiting = false;
  box.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; render(false); measure(); });
  }, { passive: true });
  for (const other of ["wheel", "pointerdown", "touchmove"]) box.addEventListener(other, () => { walking = false; }, { passive: true });
  addEventListener("beforeprint", () => show(0, view.length));
  addEventListener("afterprint", () => render(true));
}

let focusable = null;
const focus = (cell, quietly) => {
  if (focusable) focusable.tabIndex = -1;
  focusable = cell;
  cell.tabIndex = 0;
  if (!quietly) cell.focus();
};

const words = (wanted) => wanted.toLowerCase().split(/\s+/).filter(Boolean);
const matches = (lower, wanted) => wanted.every((word) => (word[0] === "-" && word.length > 1)
  ? !lower.includes(word.slice(1)) : lower.includes(word));
const ordered = () => {
  const column = names.indexOf(state.s), sign = state.d === "down" ? -1 : 1;
  head.forEach((cell, n) => cell.setAttribute("aria-sort",
    n !== column ? "none" : state.d === "down" ? "descending" : "ascending"));
  if (column < 0) return data;
  return [...data].sort((a, b) => {
    if (column === 0) return sign * collator.compare(a.model, b.model) || a.index - b.index;
    const u = a.values[column], v = b.values[column];
    if (isNaN(u) || isNaN(v)) return (isNaN(u) ? 1 : 0) - (isNaN(v) ? 1 : 0) || a.index - b.index;
    return sign * (u - v) || a.index - b.index;
  });
};
const collator = new Intl.Collator("en", { numeric: true });
let order = data, sorting = null;
const apply = () => {
  const wanted = words(state.b), wantedModels = words(state.m);
  const before = mark;
  columns = lowerBenchmarks.map((name) => matches(name, wanted));
  mark = columns.map((shown) => (shown ? 1 : 0)).join("");
  if (mark !== before) {
    for (const row of [table.tHead.rows[0], ceilings]) hide({ row, columns: "" });
    if (table.classList.contains("held")) hold();
  }
  if (!buttons.some((button, n) => button.tabIndex === 0 && shownAt(n))) stand(0);
  if (sorting !== state.s + " " + state.d) { order = ordered(); sorting = state.s + " " + state.d; }
  view = order.filter((entry) => matches(entry.lower, wantedModels)
    && (!state.c || columns.every((shown, j) => !shown || !isNaN(entry.values[j + 3]))));
  if (windowed) box.scrollTop = 0;
  render(true);
  get("none").hidden = view.length > 0 && columns.includes(true);
  get("none").textContent = view.length ? "No benchmark matches." : "No model matches.";
  get("shown").textContent = `${view.length} of ${data.length} models, ${columns.filter(Boolean).length} of ${benchmarks.length} benchmarks`;
  reachable();
};

const inputs = { "find-model": "m", "find-benchmark": "b" };
for (const [id, key] of Object.entries(inputs)) {
  get(id).addEventListener("input", (event) => { state[key] = event.target.value; write(true); apply(); });
}
get("only-scored").addEventListener("change", (event) => { state.c = event.target.checked ? "1" : ""; write(); apply(); });
get("tools").addEventListener("submit", (event) => event.preventDefault());
