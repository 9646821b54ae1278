// What is seen, as files.
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
      interval: e.bounds[j + 3] || null, status: isNaN(e.values[j + 3]) ? e.texts[j + 3] : "scored",
      ...(e.marks[j + 3] && { marked: e.marks[j + 3] }) })));
  save(JSON.stringify(list, null, 1), "application/json", "scores.json");
});
