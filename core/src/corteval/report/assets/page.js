"use strict";
(() => {
  const table = document.getElementById("table");
  if (!table) return;
  const get = (id) => document.getElementById(id);
  const facts = JSON.parse(get("facts").textContent);
  const head = [...table.tHead.rows[0].cells];
  const names = head.map((cell) => cell.textContent.trim());
  const benchmarks = names.slice(3);
  const rows = [...table.tBodies[0].rows];
  const ceilings = table.tHead.rows[1];
  const number = (text) => (/^-?[\d.]+/.test(text) ? parseFloat(text) : NaN);
  const first = (cell) => (cell.firstChild ? cell.firstChild.textContent.trim() : "");
  const data = rows.map((row, index) => {
    const cells = [...row.cells];
    return {
      row, index, model: cells[0].textContent.trim(),
      texts: cells.map(first),
      values: cells.map((cell) => number(first(cell))),
      bounds: cells.map((cell) => (cell.querySelector("i") || {}).textContent || ""),
    };
  });
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

  rows.forEach((row, i) => [...row.cells].slice(3).forEach((cell, j) => {
    cell.tabIndex = -1;
    cell.dataset.at = i + "," + j;
  }));
  table.tBodies[0].addEventListener("click", (event) => {
    const cell = event.target.closest("td[data-at]");
    if (cell) open(cell);
  });
  table.tBodies[0].addEventListener("keydown", (event) => {
    const cell = event.target.closest("td[data-at]");
    if (!cell) return;
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(cell); return; }
    const way = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!way) return;
    event.preventDefault();
    let row = cell.parentElement, place = [...row.cells].indexOf(cell) + way[1];
    if (way[0]) row = way[0] > 0 ? row.nextElementSibling : row.previousElementSibling;
    while (row && row.hidden) row = way[0] > 0 ? row.nextElementSibling : row.previousElementSibling;
    while (row && row.cells[place] && row.cells[place].hidden) place += way[1];
    const next = row && row.cells[place];
    if (next && next.dataset.at) focus(next);
  });
  let focusable = null;
  const focus = (cell, quietly) => {
    if (focusable) focusable.tabIndex = -1;
    focusable = cell;
    cell.tabIndex = 0;
    if (!quietly) cell.focus();
  };

  let opener = null;
  const open = (cell, silent) => {
    const [i, j] = cell.dataset.at.split(",").map(Number);
    const entry = data[i], fact = more.get(i + "," + j);
    get("detail-title").textContent = entry.model + " on " + benchmarks[j];
    const list = document.querySelector("#detail dl"), notes = document.querySelector("#detail ul");
    list.textContent = "";
    notes.textContent = "";
    const say = (name, value) => {
      const t = document.createElement("dt"), d = document.createElement("dd");
      t.textContent = name;
      d.textContent = value;
      list.append(t, d);
    };
    say("Score", entry.texts[j + 3]);
    if (entry.bounds[j + 3]) say("95 % interval", entry.bounds[j + 3]);
    if (fact) {
      say("Raw", fact[2] === null ? "none" : String(fact[2]));
      say("Ceiling", fact[3] === null ? "none" : String(fact[3]));
      if (fact[5]) say("Records", String(fact[5]));
      for (const n of fact[4]) {
        const item = document.createElement("li");
        item.textContent = facts.notes[n];
        notes.append(item);
      }
    }
    get("detail").hidden = false;
    opener = cell;
    if (!silent) { state.at = entry.model + "|" + benchmarks[j]; write(); get("close").focus(); }
  };
  const close = () => {
    get("detail").hidden = true;
    state.at = "";
    write();
    if (opener) focus(opener);
  };
  get("close").addEventListener("click", close);
  get("detail").addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

  const matches = (text, wanted) => wanted.toLowerCase().split(/\s+/).filter(Boolean)
    .every((word) => (word[0] === "-" && word.length > 1)
      ? !text.toLowerCase().includes(word.slice(1)) : text.toLowerCase().includes(word));
  let seenColumns = "";
  const apply = () => {
    const columns = benchmarks.map((name) => matches(name, state.b));
    const mark = columns.join();
    if (mark !== seenColumns) {
      seenColumns = mark;
      columns.forEach((shown, j) => {
        for (const row of [table.tHead.rows[0], ceilings, ...rows]) row.cells[j + 3].hidden = !shown;
      });
    }
    let count = 0;
    for (const entry of data) {
      const complete = !state.c || entry.values.slice(3).every((v, j) => !columns[j] || !isNaN(v));
      entry.row.hidden = !(matches(entry.model, state.m) && complete);
      count += !entry.row.hidden;
    }
    const column = names.indexOf(state.s);
    head.forEach((cell, n) => cell.setAttribute("aria-sort",
      n !== column ? "none" : state.d === "down" ? "descending" : "ascending"));
    const sign = state.d === "down" ? -1 : 1;
    const order = column < 0 ? data : [...data].sort((a, b) => {
      if (column === 0) return sign * a.model.localeCompare(b.model) || a.index - b.index;
      const u = a.values[column], v = b.values[column];
      if (isNaN(u) || isNaN(v)) return (isNaN(u) ? 1 : 0) - (isNaN(v) ? 1 : 0) || a.index - b.index;
      return sign * (u - v) || a.index - b.index;
    });
    table.tBodies[0].append(...order.map((entry) => entry.row));
    get("shown").textContent = `${count} of ${data.length} models, ${columns.filter(Boolean).length} of ${benchmarks.length} benchmarks`;
    if (!focusable || focusable.hidden || focusable.parentElement.hidden) {
      const cell = order.filter((e) => !e.row.hidden).map((e) => [...e.row.cells].slice(3).find((c) => !c.hidden))[0];
      if (cell) focus(cell, true);
    }
  };

  const inputs = { "find-model": "m", "find-benchmark": "b" };
  for (const [id, key] of Object.entries(inputs)) {
    get(id).addEventListener("input", (event) => { state[key] = event.target.value; write(true); apply(); });
  }
  get("only-scored").addEventListener("change", (event) => { state.c = event.target.checked ? "1" : ""; write(); apply(); });
  get("tools").addEventListener("submit", (event) => event.preventDefault());

  const visible = () => {
    const columns = benchmarks.map((_, j) => !head[j + 3].hidden);
    const order = [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => data[rows.indexOf(row)]);
    return { columns, order };
  };
  const save = (text, type, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const quoted = (text) => {
    const safe = /^[=+\-@\t\r]/.test(text) && isNaN(Number(text)) ? "'" + text : text;
    return /[",\n\r]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  };
  get("csv").addEventListener("click", () => {
    const { columns, order } = visible();
    const kept = names.map((_, n) => n < 3 || columns[n - 3]);
    const lines = [names, ...order.map((e) => [e.model, ...e.texts.slice(1)])]
      .map((cells) => cells.filter((_, n) => kept[n]).map(quoted).join(","));
    save(lines.join("\r\n") + "\r\n", "text/csv", "scores.csv");
  });
  get("json").addEventListener("click", () => {
    const { columns, order } = visible();
    const list = order.flatMap((e) => benchmarks.map((benchmark, j) => ({ j, benchmark }))
      .filter(({ j }) => columns[j])
      .map(({ j, benchmark }) => ({ model: e.model, benchmark, score: isNaN(e.values[j + 3]) ? null : e.values[j + 3],
        interval: e.bounds[j + 3] || null, status: isNaN(e.values[j + 3]) ? e.texts[j + 3] : "scored" })));
    save(JSON.stringify(list, null, 1), "application/json", "scores.json");
  });

  const svg = (name, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const options = (select, list, chosen) => {
    if (!select.options.length) list.forEach((name) => select.append(new Option(name.length > 60 ? name.slice(0, 59) + "…" : name, name)));
    if (list.includes(chosen)) select.value = chosen;
  };
  const plot = () => {
    const i = benchmarks.indexOf(get("x").value), j = benchmarks.indexOf(get("y").value);
    const points = data.map((e) => [e.values[i + 3], e.values[j + 3], e.model]).filter(([u, v]) => !isNaN(u) && !isNaN(v));
    const box = get("plot");
    box.textContent = "";
    const caption = document.createElement("figcaption");
    if (points.length < 2) { caption.textContent = "Fewer than two models have scores on both."; box.append(caption); return; }
    const size = 360, pad = 40;
    const range = (k) => { const v = points.map((p) => p[k]); const a = Math.min(...v), b = Math.max(...v); const s = (b - a || 1) * .05; return [a - s, b + s]; };
    const [xa, xb] = range(0), [ya, yb] = range(1);
    const X = (v) => pad + (v - xa) / (xb - xa) * (size - 2 * pad), Y = (v) => size - pad - (v - ya) / (yb - ya) * (size - 2 * pad);
    const n = points.length, mean = (k) => points.reduce((s, p) => s + p[k], 0) / n;
    const mx = mean(0), my = mean(1);
    const sxx = points.reduce((s, p) => s + (p[0] - mx) ** 2, 0), syy = points.reduce((s, p) => s + (p[1] - my) ** 2, 0);
    const sxy = points.reduce((s, p) => s + (p[0] - mx) * (p[1] - my), 0);
    const r = sxx && syy ? sxy / Math.sqrt(sxx * syy) : NaN;
    const children = [
      svg("line", { class: "axis", x1: pad, x2: size - pad, y1: size - pad, y2: size - pad }),
      svg("line", { class: "axis", x1: pad, x2: pad, y1: pad, y2: size - pad }),
    ];
    if (sxx) {
      const slope = sxy / sxx, line = (v) => my + slope * (v - mx);
      children.push(svg("line", { class: "fit", x1: X(xa), x2: X(xb), y1: Y(line(xa)), y2: Y(line(xb)) }));
    }
    for (const [u, v, name] of points) {
      const title = svg("title", {});
      title.textContent = `${name}: ${u}, ${v}`;
      children.push(svg("circle", { class: "dot", cx: X(u), cy: Y(v), r: 4 }, title));
    }
    const drawing = svg("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": `${get("y").value} against ${get("x").value}` }, ...children);
    let words = `r = ${isNaN(r) ? "undefined" : r.toFixed(2)}, ${n} models`;
    if (n > 3 && Math.abs(r) < 1) {
      const z = Math.atanh(r), h = 1.96 / Math.sqrt(n - 3);
      words += ` (95 % interval ${Math.tanh(z - h).toFixed(2)} to ${Math.tanh(z + h).toFixed(2)}, as if models were independent)`;
    }
    caption.textContent = words + ".";
    box.append(drawing, caption);
  };
  const duel = () => {
    const a = data.find((e) => e.model === get("one").value), b = data.find((e) => e.model === get("two").value);
    const box = get("duel");
    box.textContent = "";
    if (!a || !b) return;
    const list = document.createElement("table");
    const top = list.createTHead().insertRow();
    for (const text of ["Benchmark", a.model, b.model, "Difference"]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = text;
      top.append(cell);
    }
    const body = list.createTBody();
    benchmarks.forEach((name, j) => {
      const row = body.insertRow(), cell = document.createElement("th");
      cell.scope = "row";
      cell.textContent = name;
      row.append(cell);
      const difference = a.values[j + 3] - b.values[j + 3];
      for (const text of [a.texts[j + 3], b.texts[j + 3], isNaN(difference) ? "–" : (difference > 0 ? "+" : "") + difference.toFixed(3)]) row.insertCell().textContent = text;
    });
    const words = document.createElement("p");
    words.textContent = "For paired tests: corteval compare " + [a.model, b.model].join(" ");
    box.append(list, words);
  };
  for (const id of ["x", "y", "one", "two"]) {
    get(id).addEventListener("change", (event) => { state[id] = event.target.value; write(); (id.length === 1 ? plot : duel)(); });
  }

  const show = () => {
    read();
    get("find-model").value = state.m;
    get("find-benchmark").value = state.b;
    get("only-scored").checked = Boolean(state.c);
    const models = data.map((e) => e.model);
    options(get("x"), benchmarks, state.x || benchmarks[0]);
    options(get("y"), benchmarks, state.y || benchmarks[Math.min(1, benchmarks.length - 1)]);
    options(get("one"), models, state.one || models[0]);
    options(get("two"), models, state.two || models[Math.min(1, models.length - 1)]);
    apply();
    plot();
    duel();
    const [model, benchmark] = state.at.split("|");
    const i = models.indexOf(model), j = benchmarks.indexOf(benchmark);
    if (state.at && i >= 0 && j >= 0) open(rows[i].cells[j + 3], true); else get("detail").hidden = true;
  };
  get("tools").hidden = false;
  get("explore").hidden = false;
  addEventListener("popstate", show);
  show();
})();
