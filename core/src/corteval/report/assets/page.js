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
    const cells = [...row.cells], texts = cells.map(first), model = cells[0].textContent.trim();
    return {
      row, index, model, texts, lower: model.toLowerCase(), values: texts.map(number), height: 0, columns: "",
      bounds: cells.map((cell, n) => (n && cell.lastElementChild ? cell.lastElementChild.textContent : "")),
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

  const listed = (title, header, lines) => {
    const made = document.createElement("table");
    made.createCaption().textContent = title;
    const top = made.createTHead().insertRow(), inside = made.createTBody();
    for (const text of header) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = text;
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
    document.querySelectorAll("#detail table").forEach((old) => old.remove());
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
      if (fact[5]) say("Records", String(Array.isArray(fact[5]) ? fact[5].length : fact[5]));
      for (const n of fact[4]) {
        const item = document.createElement("li");
        item.textContent = facts.notes[n];
        notes.append(item);
      }
      const told = (value) => (value === null ? "undefined" : String(value));
      if (Array.isArray(fact[5])) {
        notes.before(listed("Records, the oldest first", ["Value", "Made"], fact[5].map(([value, date]) => [told(value), date])));
      }
      if (fact[6]) {
        notes.before(listed("Raw values by subject", ["Subject", "Median", "Quartiles", "Values"],
          fact[6].map(([n, middle, low, high, count]) => [facts.names[n], told(middle), middle === null ? "–" : low + " to " + high, String(count)])));
      } else if (facts.leftOut) say("Subjects", "too many for this page; `corteval report --site` shows them");
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
    if (sorting !== state.s + " " + state.d) { order = ordered(); sorting = state.s + " " + state.d; }
    view = order.filter((entry) => matches(entry.lower, wantedModels)
      && (!state.c || columns.every((shown, j) => !shown || !isNaN(entry.values[j + 3]))));
    if (windowed) box.scrollTop = 0;
    render(true);
    get("shown").textContent = `${view.length} of ${data.length} models, ${columns.filter(Boolean).length} of ${benchmarks.length} benchmarks`;
    reachable();
  };

  const inputs = { "find-model": "m", "find-benchmark": "b" };
  for (const [id, key] of Object.entries(inputs)) {
    get(id).addEventListener("input", (event) => { state[key] = event.target.value; write(true); apply(); });
  }
  get("only-scored").addEventListener("change", (event) => { state.c = event.target.checked ? "1" : ""; write(); apply(); });
  get("tools").addEventListener("submit", (event) => event.preventDefault());

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
    const kept = names.map((_, n) => n < 3 || columns[n - 3]);
    const lines = [names, ...view.map((e) => [e.model, ...e.texts.slice(1)])]
      .map((cells) => cells.filter((_, n) => kept[n]).map(quoted).join(","));
    save(lines.join("\r\n") + "\r\n", "text/csv", "scores.csv");
  });
  get("json").addEventListener("click", () => {
    const list = view.flatMap((e) => benchmarks.map((benchmark, j) => ({ j, benchmark }))
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
    const frame = get("plot");
    frame.textContent = "";
    const caption = document.createElement("figcaption");
    if (points.length < 2) { caption.textContent = "Fewer than two models have scores on both."; frame.append(caption); return; }
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
    frame.append(drawing, caption);
  };
  const duel = () => {
    const a = data.find((e) => e.model === get("one").value), b = data.find((e) => e.model === get("two").value);
    const frame = get("duel");
    frame.textContent = "";
    if (!a || !b) return;
    const list = document.createElement("table");
    const top = list.createTHead().insertRow();
    for (const text of ["Benchmark", a.model, b.model, "Difference"]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = text;
      top.append(cell);
    }
    const lines = list.createTBody();
    benchmarks.forEach((name, j) => {
      const row = lines.insertRow(), cell = document.createElement("th");
      cell.scope = "row";
      cell.textContent = name;
      row.append(cell);
      const difference = a.values[j + 3] - b.values[j + 3];
      for (const entry of [a, b]) {
        const value = row.insertCell();
        value.textContent = entry.texts[j + 3];
        if (!entry.bounds[j + 3]) continue;
        const interval = document.createElement("i");
        interval.textContent = entry.bounds[j + 3];
        value.append(interval);
      }
      row.insertCell().textContent = isNaN(difference) ? "–" : (difference > 0 ? "+" : "") + difference.toFixed(3);
    });
    const hint = document.createElement("p");
    hint.textContent = "Small numbers are 95 % intervals of each model. Draws are shared, so the difference may be surer than they look; for paired tests: corteval compare " + [a.model, b.model].join(" ");
    frame.append(list, hint);
  };
  for (const id of ["x", "y", "one", "two"]) {
    get(id).addEventListener("change", (event) => { state[id] = event.target.value; write(); (id.length === 1 ? plot : duel)(); });
  }

  const restore = () => {
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
  addEventListener("popstate", restore);
  restore();
  if (windowed) requestAnimationFrame(() => { measure(); hold(); });
})();
