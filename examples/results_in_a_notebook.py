"""Results as tables: what a notebook shows, and the data frame behind each of it.

Scores, boards, ranks, comparisons, relations, ceilings, cards, plans and records show themselves in
a notebook when they stand on the last line of a cell, and `to_frame()` gives them to pandas. Here
the frames are printed.
"""

import corteval
from corteval.stats.board import Board, means
from corteval.stats.paired import compare
from corteval.stats.ranks import ranks

BENCHMARK = "Marques2020.V1-preferred_orientation"
MODELS = ["gabor-filterbank", "gabor-45-degrees", "pixels"]

# %% What is it that is scored?
print(corteval.benchmarks.card(BENCHMARK).to_frame().T)

# %% A board of scores; cells without a score say why
board = Board.of(corteval.score_all(MODELS, [BENCHMARK]))
print(board.to_frame()[["model", "status", "value", "low", "high"]])

# %% Who is first, and how sure is that?
placed = ranks(means(board, {BENCHMARK: 1.0}))
print(placed.to_frame())
first, second = (board.scores[rank.model, BENCHMARK] for rank in placed[:2])
print(compare(first, second).to_frame().T)

# %% What a notebook shows of it is HTML without scripts, links or colours of its own
print(board._repr_html_()[:200], "...")
