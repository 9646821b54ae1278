// Two benchmarks, and two models.
const options = (select, list, chosen) => {
  if (!select.options.length) list.forEach((name) => select.append(new Option(name.length > 60 ? name.slice(0, 59) + "…" : name, name)));
  if (list.includes(chosen)) select.value = chosen;
};
const plot = () => scatter(get("plot"), get("x").value, get("y").value);

// Paired tests of two rows, by benchmark; null if the page has none of this pair. They were made
// for the row that stands higher minus the other: the other way round signs and bounds turn.
const tested = (a, b) => {
  const turned = a.index > b.index, pair = facts.tests.pairs[turned ? `${b.index},${a.index}` : `${a.index},${b.index}`];
  if (!pair) return null;
  const found = new Map(pair.slice(1).map(([j, ...told]) => {
    if (told.length === 1) return [j, { reason: facts.tests.words[told[0]] }];
    const [difference, low, high, p, holm] = told.map((v) => v / 10000);
    return [j, turned ? { difference: 0 - difference, low: 0 - high, high: 0 - low, p, holm } : { difference, low, high, p, holm }];
  }));
  return { found, remark: pair[0] < 0 ? "" : facts.tests.words[pair[0]] };
};
const signed = (value, digits) => (value > 0 ? "+" : "") + value.toFixed(digits).replace("0.", ".");
const share = (p) => (p < 0.00005 ? "<.0001" : p.toFixed(4).replace("0.", "."));
const quotedName = (name) => (/^[\w.@\/:=+~-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`);
const counted = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

// What the tests of a pair say in one sentence, and how they were made or how to make them.
const verdict = (a, b, tests) => {
  const command = `corteval compare ${quotedName(a.model)} ${quotedName(b.model)}`;
  if (a === b) return ["The same model twice: choose another one.", ""];
  if (!tests) {
    const few = facts.tests.models;
    return ["No paired test of this pair is on this page.", (few < 2 ? "The board is too large for them. " :
      `There are too many pairs: it has the tests of the first ${few} models of the table as it was made. `) + `This one is made by: ${command}`];
  }
  const all = [...tests.found.values()], made = all.filter((t) => t.reason === undefined);
  if (!all.length) return ["There is nothing to test: no benchmark has a score of both.", ""];
  if (!made.length) return ["There is no paired test: the last column says why.", ""];
  const sure = made.filter((t) => t.holm <= 0.05), better = sure.filter((t) => t.difference > 0).length;
  const said = `${a.model} is better on ${better} and worse on ${sure.length - better} of the ${counted(all.length, "benchmark")} that both have a score on (Holm, 5 %).`;
  return [said, "Small numbers are 95 % intervals. Differences are tested on the same draws of stimuli, neuroids or subjects "
    + `(paired bootstrap), as ${command} does; p (Holm) is corrected for ${counted(made.length, "test")}.`
    + (tests.remark ? ` Here ${tests.remark}.` : "")];
};
// Rows that are stacked on a narrow screen: what is said there of each cell, and roles, which would be lost.
const stacked = (list) => {
  const titles = [...list.tHead.rows[0].cells].map((cell) => cell.textContent);
  list.setAttribute("role", "table");
  for (const part of [list.tHead, ...list.tBodies]) part.setAttribute("role", "rowgroup");
  for (const row of list.rows) {
    row.setAttribute("role", "row");
    [...row.cells].forEach((cell, n) => {
      cell.setAttribute("role", cell.tagName === "TD" ? "cell" : cell.scope === "col" ? "columnheader" : "rowheader");
      cell.dataset.name = titles[n];
    });
  }
};
const duel = () => {
  const a = data.find((e) => e.model === get("one").value), b = data.find((e) => e.model === get("two").value);
  const frame = get("duel");
  frame.textContent = "";
  if (!a || !b) return;
  const tests = a === b ? null : tested(a, b), list = element("table");
  [get("verdict").textContent, get("tested").textContent] = verdict(a, b, tests);
  const top = list.createTHead().insertRow();
  for (const text of ["Benchmark", a.model, b.model, "Difference", ...(tests ? ["p", "p (Holm)"] : [])]) {
    const cell = broken(text, "th");
    cell.scope = "col";
    top.append(cell);
  }
  const lines = list.createTBody();
  let left = 0;
  benchmarks.forEach((name, j) => {
    if (isNaN(a.values[j + 3]) && isNaN(b.values[j + 3])) { left += 1; return; }
    const row = lines.insertRow(), cell = broken(name, "th"), test = tests && tests.found.get(j);
    cell.scope = "row";
    row.append(cell);
    for (const entry of [a, b]) {
      const value = row.insertCell();
      value.textContent = entry.texts[j + 3];
      if (isNaN(entry.values[j + 3])) value.className = "w";
      if (entry.bounds[j + 3]) value.append(element("i", entry.bounds[j + 3]));
      if (entry.marks[j + 3]) value.append(element("b", entry.marks[j + 3]));
    }
    const difference = a.values[j + 3] - b.values[j + 3], sum = row.insertCell();
    if (test && test.reason === undefined) {
      sum.textContent = signed(test.difference, 4);
      sum.append(element("i", `${signed(test.low, 4)} to ${signed(test.high, 4)}`));
      row.insertCell().textContent = share(test.p);
      row.insertCell().append(element(test.holm <= 0.05 ? "strong" : "span", share(test.holm)));
      return;
    }
    sum.textContent = isNaN(difference) ? "–" : signed(difference, 3);
    if (!tests) return;
    const words = row.insertCell();
    words.colSpan = 2;
    words.className = "w why";
    words.textContent = test ? test.reason : "–";
  });
  stacked(list);
  frame.append(list);
  if (left) frame.append(element("p", `Left out: ${counted(left, "benchmark")} on which neither has a score.`, "left"));
};
