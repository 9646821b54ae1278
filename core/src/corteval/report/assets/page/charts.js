// Charts by Observable Plot, in the place of those that were drawn when the page was made.

// The policy of the page allows no style but its own, which has Plot's few rules: its element goes
// before it is in the document, where it would be refused.
const made = (options) => {
  const drawing = Plot.plot({ className: "plot", marginBottom: 40, marginLeft: 50, grid: true, ...options });
  drawing.querySelectorAll("style").forEach((style) => style.remove());
  drawing.querySelectorAll("g[aria-label]").forEach((group) => group.removeAttribute("aria-label"));
  drawing.setAttribute("role", "img");
  return drawing;
};
// Groups have no role, so that the label that Plot gives them would be no name of anything.
const unnamed = (...given) => {
  const group = given.pop()(...given);
  group.removeAttribute("aria-label");
  return group;
};
const pointed = (points) => Plot.tip(points, Plot.pointer({ x: "x", y: "y", title: "said", render: unnamed }));
const room = (most, margin) => Math.max(240, Math.min(most, document.documentElement.clientWidth - margin));
// By its beginning and its end, where names of one kind differ.
const ends = (name, most) => { const last = Math.floor((3 * most) / 5); return name.length > most ? `${name.slice(0, most - last - 1)}…${name.slice(-last)}` : name; };
const clipped = (name, most) => (name.length > most ? name.slice(0, most - 1) + "…" : name);

// Whoever uses keys walks from mark to mark; what a mark says is shown, and read out.
const walkable = (drawing, marks, { label, width = 1, choose }) => {
  const frame = element("div", undefined, "walk"), said = element("p", undefined, "said");
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", label);
  said.setAttribute("role", "status");
  frame.append(drawing, said);
  let now = -1;
  const point = (kind, x, y) => {
    const { left, top, width: wide } = drawing.getBoundingClientRect(), scale = wide / drawing.viewBox.baseVal.width;
    drawing.dispatchEvent(new PointerEvent(kind, { clientX: left + x * scale, clientY: top + y * scale, pointerType: "mouse" }));
  };
  const centre = (axis, value) => { const scale = drawing.scale(axis); return scale.apply(value) + (scale.bandwidth || 0) / 2; };
  const leave = () => { point("pointerleave", 0, 0); said.textContent = ""; now = -1; };
  frame.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: width, ArrowUp: -width }[event.key];
    if (event.key === "Escape" && now >= 0) { event.stopPropagation(); leave(); return; }
    if (event.key === "Enter" && choose && now >= 0) { choose(marks[now]); return; }
    let next = now + step;
    if (event.key === "Home") next = 0; else if (event.key === "End") next = marks.length - 1; else if (!step) return;
    event.preventDefault();
    if (now < 0) next = 0;
    if (!marks[next]) return;
    now = next;
    if (marks[now].quiet) point("pointerleave", 0, 0);
    else point("pointermove", centre("x", marks[now].x), centre("y", marks[now].y));
    said.textContent = marks[now].said;
  });
  frame.addEventListener("blur", leave);
  if (choose) drawing.addEventListener("click", () => { if (drawing.value) choose(drawing.value); });
  return frame;
};

const scatter = (frame, x, y) => {
  const i = benchmarks.indexOf(x), j = benchmarks.indexOf(y);
  const points = facts.draws.order.map((n) => data[n]).map((e) => ({ x: e.values[i + 3], y: e.values[j + 3], name: e.model, entry: e }))
    .filter((p) => !isNaN(p.x) && !isNaN(p.y));
  const caption = element("figcaption");
  frame.replaceChildren(caption);
  if (!points.length) { caption.textContent = "No model has a score on both: there is nothing to draw."; return; }
  for (const p of points) p.said = `${p.name}: ${p.entry.texts[i + 3]} across, ${p.entry.texts[j + 3]} up`;
  const across = points.map((p) => p.x), up = points.map((p) => p.y), related = relation(across, up);
  const low = Math.min(...across), high = Math.max(...across);
  const places = Array.from({ length: 50 }, (_, k) => low + (k / 49) * (high - low));
  const draw = (sure) => {
    const marks = [];
    if (sure && sure.band) {
      marks.push(Plot.areaY(sure.band, { x: (d) => d[0], y1: (d) => d[1][0], y2: (d) => d[1][1], className: "area" }));
    }
    if (!related.reason) marks.push(Plot.line([low, high], { x: (d) => d, y: related.at, className: "trend" }));
    marks.push(Plot.dot(points, { x: "x", y: "y", r: 4, className: "dots" }));
    marks.push(pointed(points));
    const drawing = made({ width: room(420, 30), height: 400, marks, x: { label: clipped(x, 50), nice: true }, y: { label: clipped(y, 50), nice: true } });
    drawing.setAttribute("aria-label", `${y} against ${x}, ${points.length} models`);
    const byPlace = [...points].sort((p, q) => p.x - q.x || p.y - q.y);
    const label = `${y} against ${x}: ${points.length} models from left to right, by the arrow keys`;
    frame.replaceChildren(walkable(drawing, byPlace, { label }), caption);
    if (related.reason) { caption.textContent = related.reason; return; }
    let words = `r = ${related.r.toFixed(2)}, ${related.n} models`;
    if (sure && sure.interval) words += ` (95 % interval ${sure.interval.map((v) => v.toFixed(2)).join(" to ")}, over models)`;
    else if (sure) words += "; no interval, for too few models carry all that varies";
    caption.textContent = words + ". Line of least squares" + (!sure || sure.band ? " with the band of bootstrap draws of models, 95 % at each place." : ".");
    frame.uncertainty = sure;
  };
  const chosen = {};
  frame.chosen = chosen;
  if (related.reason || related.n <= 60) { draw(related.reason ? null : uncertainty(related, up, places)); return; }
  draw(null);
  setTimeout(() => { if (frame.chosen === chosen) draw(uncertainty(related, up, places)); }, 50);
};

// Whether white is easier to read than black on the colour of a correlation (WCAG 2 luminance).
const dark = (rho) => {
  const linear = (rho >= 0 ? [0, 70, 127] : [140, 60, 0]).map((end) => 1 + (end / 255 - 1) * Math.abs(rho))
    .map((c) => ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] < 0.179;
};
const agreement = () => {
  const listing = document.querySelector("#agreement table"), picture = get("agreement-chart");
  if (!listing) return;
  const all = [...listing.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim()), count = all.length;
  const squares = [...listing.tBodies[0].rows].flatMap((row, i) => [...row.cells].slice(1).map((cell, j) => {
    const rho = parseFloat(first(cell)), models = within(cell, "i");
    return { x: j + 1, y: i + 1, i, j, rho, quiet: i === j, said: `${all[i]} and ${all[j]}: ${first(cell)}${models && `, ${models}`}` };
  }));
  const shown = squares.filter((s) => !s.quiet), most = document.documentElement.clientWidth < 640 ? 27 : 42;
  const left = Math.max(...all.map((name, n) => 6.8 * `${ends(name, most)} ${n + 1}`.length)) + 16;
  const texts = (on) => Plot.text(shown.filter((s) => !isNaN(s.rho) && dark(s.rho) === on),
    { x: "x", y: "y", text: (s) => s.rho.toFixed(2).replace("0.", "."), fontSize: 9, className: on ? "on-dark" : "on-light" });
  const drawing = made({
    width: left + 20 + 26 * count, height: 50 + 26 * count, marginLeft: left, marginTop: 30, marginBottom: 10, grid: false, padding: 0.04,
    x: { type: "band", label: null, axis: "top" }, y: { type: "band", label: null, tickFormat: (n) => `${ends(all[n - 1], most)} ${n}` },
    color: { type: "linear", domain: [-1, 0, 1], range: ["#8c3c00", "#ffffff", "#00467f"], unknown: "none" },
    marks: [Plot.cell(shown, { x: "x", y: "y", fill: "rho" }), texts(true), texts(false),
      Plot.text(shown.filter((s) => isNaN(s.rho)), { x: "x", y: "y", text: () => "–" }),
      pointed(shown)],
  });
  drawing.setAttribute("aria-label", `Spearman correlations between ${count} benchmarks`);
  const choose = ({ i, j }) => {
    if (i === j) return;
    state.x = all[j];
    state.y = all[i];
    write();
    get("x").value = state.x;
    get("y").value = state.y;
    scatter(get("plot"), state.x, state.y);
    get("explore").scrollIntoView({ block: "start" });
  };
  const label = `Correlations of ${count} benchmarks by the arrow keys; Enter draws a pair below`;
  picture.replaceChildren(walkable(drawing, squares, { label, width: count, choose }));
};

// Values of one cell over its records, and raw values of its subjects; each beside its table.
const records = (list) => {
  const points = list.map(([value, date]) => ({ x: new Date(date.replace(" ", "T") + "Z"), y: value, said: `${value}, ${date}` }))
    .filter((p) => typeof p.y === "number" && !isNaN(p.x));
  if (points.length < 2) return null;
  const drawing = made({
    width: room(460, 80), height: 200, marginBottom: 30, x: { type: "utc", label: null }, y: { label: "Score", nice: true },
    marks: [Plot.line(points, { x: "x", y: "y", className: "trend" }), Plot.dot(points, { x: "x", y: "y", className: "dots" }),
      pointed(points)],
  });
  drawing.setAttribute("aria-label", `Scores of ${points.length} records over time`);
  return walkable(drawing, points, { label: `${points.length} records from the oldest on, by the arrow keys` });
};
const strip = (list, told) => {
  const points = list.filter(([, middle]) => middle !== null).map(([n, middle, low, high, count]) => ({
    x: middle, y: facts.names[n], low, high, said: `${facts.names[n]}: ${told(middle)}, quartiles ${low} to ${high}, ${count} values`,
  }));
  if (!points.length) return null;
  const drawing = made({
    width: room(460, 80), height: 60 + 20 * points.length, marginLeft: 120, x: { label: "Raw value", nice: true },
    y: { type: "band", label: null, domain: points.map((p) => p.y), tickFormat: (name) => clipped(name, 18) },
    marks: [Plot.ruleY(points, { x1: "low", x2: "high", y: "y", strokeWidth: 3, className: "spread" }),
      Plot.dot(points, { x: "x", y: "y", className: "dots" }), pointed(points)],
  });
  drawing.setAttribute("aria-label", `Median and quartiles of ${points.length} subjects`);
  return walkable(drawing, points, { label: `${points.length} subjects by the arrow keys` });
};
