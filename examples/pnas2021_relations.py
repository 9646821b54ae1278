"""Do language models that predict words better predict brains better?

Schrimpf et al. (2021) scored 43 language models on three sets of recordings of brains, on reading
times, on WikiText-2 and on GLUE, and drew their conclusions from how these scores go together over
models. No model is needed to look at that again: the scores of every layer are the data set
PNAS2021. This page rebuilds each correlation of the figures and asks two things more.

1. **How sure is it?** Intervals that draw models at random treat GPT-2 and GPT-2-large as if they
   had nothing in common. Those that draw whole *families* of models (eight ALBERTs, five T5s, six
   of the GPT line, ...) say what can be concluded about models of other families.
2. **Who carries it?** Each correlation is computed again without each family.

What to expect: perplexity goes with the fit to brains, GLUE does not; the fit to one recording goes
with that to another and to reading times; and untrained models already come in the order of the
trained ones. Intervals over families are wider, and reach zero for some of these.

What comes out: in twelve of sixteen relations the family that matters most is the three word
embeddings, the only models without context; without them, perplexity goes the other way with
reading times. Intervals over families reach zero in ten relations, those over models in four. The
order of models that training leaves as it was is the firmest finding of all.

Scores are those of each model's best layer, chosen on the same scores, and clipped at 1 in means,
as published. Run it in a folder where it may write two pictures; it needs matplotlib, and downloads
0.4 MB once.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from corteval import registry
from corteval.stats.relations import line_band
from corteval_pnas2021.families import FAMILIES
from corteval_pnas2021.relations import (
    QUESTIONS,
    Question,
    glue_tasks,
    model_table,
    relations,
)

# %% The scores, a row a model
# A family has a colour and a marker. The colours are those of Okabe and Ito, which people with any
# kind of colour vision tell apart; markers do where there are more families than colours.

scores = model_table(registry.data.create("PNAS2021").table())
COLOURS = ["#000000", "#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#0072B2", "#D55E00"]
MARKERS = "os^"
FAMILY = {
    name: {"color": COLOURS[n % len(COLOURS)], "marker": MARKERS[n // len(COLOURS)]}
    for n, name in enumerate(FAMILIES)
}

# %% Every relation of the figures
# Columns: the correlation; its 95 % interval over models, and over families; the smallest and
# largest value when one family is left out; and the family whose absence changes most.

answers = relations(scores)


def within(interval):
    """An interval in print."""
    return f"{interval.low:+.2f} to {interval.high:+.2f}"


def width(column):
    """Characters that the longest entry of a column takes."""
    return max(map(len, column))


rows = [
    ("relation", "n", "r", "over models", "over families", "one family left out", "matters most")
]
for asked, answer in answers.items():
    low, high = answer.range
    influence = answer.left_out[answer.most_influential]
    rows.append(
        (
            f"{asked.x} ~ {asked.y}",
            str(answer.models),
            f"{answer.r:+.3f}",
            within(answer.interval),
            within(answer.by_cluster),
            f"{low:+.2f} to {high:+.2f}",
            f"{answer.most_influential} (without: {influence:+.2f})",
        )
    )
widths = [width(column) for column in zip(*rows, strict=True)]
for row in rows:
    print("  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)).rstrip())

tasks = [Question(x=task, y="neural mean", about="") for task in glue_tasks(scores)]
of_tasks = [answer.r for answer in relations(scores, tasks).values()]
print(f"\nsingle tasks of GLUE ~ neural mean: {min(of_tasks):+.3f} to {max(of_tasks):+.3f}")
for name in ("neural mean", "mean of four"):
    pairs = scores[[f"{name}, untrained", name]].dropna().mean()
    print(f"{name}: {pairs.iloc[0]:.3f} untrained, {pairs.iloc[1]:.3f} trained")

# %% The four relations that the paper rests on
# The band holds the line in 95 % of draws of families; the dotted lines that of draws of models.
# Where the dotted lines lie well inside the band, models of a family stand together, and counting
# each for itself would promise too much. The loss is the logarithm of the perplexity, whose one
# value above 6,000 would leave no room for the others.

SHOWN = [
    ("WikiText-2 loss", "neural mean"),
    ("GLUE mean", "neural mean"),
    ("neural mean", "Futrell2018"),
    ("neural mean, untrained", "neural mean"),
]

figure, panels = plt.subplots(2, 2, figsize=(10, 8.6), layout="constrained")
for panel, (x, y) in zip(panels.flat, SHOWN, strict=True):
    kept = scores[[x, y, "family"]].dropna()
    at = np.linspace(kept[x].min(), kept[x].max(), 60)
    line, low, high = line_band(kept[x], kept[y], at, clusters=kept["family"])
    _, low_of_models, high_of_models = line_band(kept[x], kept[y], at)
    panel.fill_between(at, low, high, color="0.87", lw=0)
    panel.plot(at, line, color="0.25", lw=1.5)
    for bound in (low_of_models, high_of_models):
        panel.plot(at, bound, color="0.45", lw=1, ls=":")
    for family, own in kept.groupby("family", sort=False):
        panel.scatter(own[x], own[y], s=38, label=family, zorder=3, lw=0, **FAMILY[family])
    answer = next(a for q, a in answers.items() if (q.x, q.y) == (x, y))
    panel.set_title(
        f"r = {answer.r:.2f} over {answer.models} models\n"
        f"{within(answer.interval)} over models, {within(answer.by_cluster)} over families",
        fontsize=8.5,
        loc="left",
    )
    panel.set(xlabel=x, ylabel=y)
    span = np.ptp(kept[y])
    panel.set_ylim(kept[y].min() - 0.15 * span, kept[y].max() + 0.15 * span)
    panel.spines[["top", "right"]].set_visible(False)
handles = {}
for panel in panels.flat:
    marks, labels = panel.get_legend_handles_labels()
    handles |= dict(zip(labels, marks, strict=True))
figure.legend(
    [handles[n] for n in FAMILIES if n in handles],
    [n for n in FAMILIES if n in handles],
    loc="outside lower center",
    ncols=6,
    frameon=False,
    fontsize=8.5,
)
figure.savefig(Path("pnas2021_scatter.png"), dpi=130)

# %% Every relation without every family
# Read along a row: where one cell stands out, one family decides. The change of r is shown by
# colour, blue where r falls without the family and orange where it rises, and the number is r
# itself without it. Cells are grey where no model of the family has both scores.

families = [name for name in FAMILIES if (scores["family"] == name).any()]
names = [f"{q.x} ~ {q.y}" for q in QUESTIONS]
without = np.array(
    [[answers[q].left_out.get(name, np.nan) for name in families] for q in QUESTIONS]
)
change = without - np.array([[answers[q].r] for q in QUESTIONS])
limit = np.nanmax(np.abs(change))
colours = matplotlib.colors.LinearSegmentedColormap.from_list(
    "blue to orange", ["#0072B2", "#9CCBE8", "#FFFFFF", "#F5C66B", "#D55E00"]
)
colours.set_bad("0.93")

figure, panel = plt.subplots(figsize=(11.5, 6.6), layout="constrained")
picture = panel.imshow(change, cmap=colours, vmin=-limit, vmax=limit, aspect="auto")
for (row, column), r in np.ndenumerate(without):
    if np.isfinite(r):
        strong = abs(change[row, column]) > 0.75 * limit
        panel.text(
            column,
            row,
            f"{r:.2f}".replace("0.", "."),
            ha="center",
            va="center",
            fontsize=8,
            color="white" if strong else "black",
        )
panel.set_xticks(range(len(families)), families, rotation=35, ha="right")
panel.set_yticks(
    range(len(names)),
    [f"{name}   {answers[q].r:+.2f}" for name, q in zip(names, QUESTIONS, strict=True)],
)
panel.tick_params(length=0)
panel.spines[:].set_visible(False)
panel.set_title("Correlation without each family (left: with all)", loc="left", fontsize=10)
figure.colorbar(picture, label="change of r", shrink=0.7)
figure.savefig(Path("pnas2021_left_out.png"), dpi=130)
print("\npnas2021_scatter.png, pnas2021_left_out.png")
