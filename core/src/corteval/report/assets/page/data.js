// What the page says, read from its table; and what of it is chosen, kept in the address.
const get = (id) => document.getElementById(id);
const table = get("table");
const facts = JSON.parse(get("facts").textContent);
const head = [...table.tHead.rows[0].cells];
const names = head.map((cell) => cell.textContent.trim());
const benchmarks = names.slice(3);
const rows = [...table.tBodies[0].rows];
const ceilings = table.tHead.rows[1];
const number = (text) => (/^-?[\d.]+/.test(text) ? parseFloat(text) : NaN);
const first = (cell) => (cell.firstChild ? cell.firstChild.textContent.trim() : "");
const within = (cell, tag) => { const found = cell.getElementsByTagName(tag)[0]; return found ? found.textContent : ""; };
const data = rows.map((row, index) => {
  const cells = [...row.cells], model = within(cells[0], "bdi").trim(), texts = cells.map(first);
  texts[0] = model;
  return {
    row, index, model, texts, lower: model.toLowerCase(), values: texts.map(number), height: 0, columns: "",
    bounds: cells.map((cell, n) => (n && cell.childElementCount ? within(cell, "i") : "")),
    marks: cells.map((cell) => (cell.childElementCount ? within(cell, "b") : "")),
  };
});
const lowerBenchmarks = benchmarks.map((name) => name.toLowerCase());
const body = table.tBodies[0], box = table.parentElement;
const more = new Map(facts.cells.map((f) => [f[0] + "," + f[1], f]));
const state = { m: "", b: "", c: "", s: "", d: "", x: "", y: "", one: "", two: "", at: "" };

const read = () => {
  for (const key of Object.keys(state)) state[key] = "";
  for (const [key, value] of new URLSearchParams(location.hash.slice(1))) {
    if (key in state) state[key] = value;
  }
};
const write = (replace) => {
  const kept = Object.entries(state).filter(([, value]) => value);
  const hash = "#" + new URLSearchParams(kept).toString();
  if (hash === (location.hash || "#")) return;
  if (replace) history.replaceState(null, "", hash); else history.pushState(null, "", hash);
};

const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};
// A name that may go on in the next line between its words, and not within one.
const broken = (name, tag = "bdi") => {
  const made = element(tag);
  name.split(/(?<=.[._/@-])(?=.)|(?<=[a-z])(?=[A-Z]|\d{4}(?!\d))|(?<=[a-z]\d{4})(?=[A-Za-z])/).forEach((part, n) => made.append(...(n ? [element("wbr"), part] : [part])));
  return made;
};
