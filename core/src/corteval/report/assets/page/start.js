// Begins when all else is there.
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
// Says that a box scrolls sideways, as long as it does.
const sideways = new ResizeObserver((seen) => {
  for (const { target } of seen) {
    const frame = target.closest(".scroll");
    if (!frame) continue;
    const cue = frame.previousElementSibling;
    cue.hidden = frame.scrollWidth <= frame.clientWidth + 1;
  }
});
for (const frame of document.querySelectorAll(".scroll")) {
  const cue = element("p", "Scroll sideways for more →", "cue");
  cue.hidden = true;
  frame.before(cue);
  sideways.observe(frame);
  const watch = () => { for (const part of frame.children) sideways.observe(part); };
  watch();
  new MutationObserver(watch).observe(frame, { childList: true });
}
get("tools").hidden = false;
get("explore").hidden = false;
addEventListener("popstate", restore);
restore();
agreement();
if (windowed) requestAnimationFrame(() => { measure(); hold(); });
