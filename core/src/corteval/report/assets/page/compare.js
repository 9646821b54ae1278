// Two benchmarks, and two models.
const options = (select, list, chosen) => {
  if (!select.options.length) list.forEach((name) => select.append(new Option(name.length > 60 ? name.slice(0, 59) + "…" : name, name)));
  if (list.includes(chosen)) select.value = chosen;
};
const plot = () => scatter(get("plot"), get("x").value, get("y").value);
const duel = () => {
  const a = data.find((e) => e.model === get("one").value), b = data.find((e) => e.model === get("two").value);
  const frame = get("duel");
  frame.textContent = "";
  if (!a || !b) return;
  const list = element("table");
  const top = list.createTHead().insertRow();
  for (const text of ["Benchmark", a.model, b.model, "Difference"]) {
    const cell = broken(text, "th");
    cell.scope = "col";
    top.append(cell);
  }
  const lines = list.createTBody();
  benchmarks.forEach((name, j) => {
    const row = lines.insertRow(), cell = broken(name, "th");
    cell.scope = "row";
    row.append(cell);
    const difference = a.values[j + 3] - b.values[j + 3];
    for (const entry of [a, b]) {
      const value = row.insertCell();
      value.textContent = entry.texts[j + 3];
      if (entry.bounds[j + 3]) value.append(element("i", entry.bounds[j + 3]));
      if (entry.marks[j + 3]) value.append(element("b", entry.marks[j + 3]));
    }
    row.insertCell().textContent = isNaN(difference) ? "–" : (difference > 0 ? "+" : "") + difference.toFixed(3);
  });
  const hint = element("p", "Small numbers are 95 % intervals of each model. Draws are shared, so the difference may be surer than they look; for paired tests: corteval compare " + [a.model, b.model].join(" "));
  frame.append(list, hint);
};
