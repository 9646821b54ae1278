"""How random splits reward a subject that knows nothing of language, on data made here.

Responses to 160 sentences in 40 passages follow sentence length, and a drift that neighbours in a
passage share. The subject `oasm` is told which place in which passage a sentence has and nothing
else. Where folds divide passages it predicts the drift from the neighbours that it was fitted on;
where passages stay whole its score is 0, and that of `sentence-features` stays what it was.

A file named on the command line becomes a figure: ``python leaky_splits.py leak.png``.
"""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

WORDS = ("the", "a", "old", "child", "river", "house", "sings", "finds", "near", "slow", "music")
SUBJECTS = "sentence-features,oasm,randomembedding-100"


def made_up(folder: Path) -> None:
    """Write a lab's table: sentences, their passages, and the mean response to each."""
    rng = np.random.default_rng(0)
    with (folder / "sentences.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["stimulus_id", "sentence", "passage", "position", "response"])
        for passage in range(40):
            drift = rng.standard_normal()
            for position in range(4):
                words = rng.choice(WORDS, rng.integers(4, 14))
                response = drift + 0.15 * len(words) + 0.5 * rng.standard_normal()
                name = f"p{passage:02d}s{position}"
                table.writerow([name, " ".join(words), f"p{passage:02d}", position, response])


def corteval(*arguments: str) -> None:
    """Run the command as on the command line."""
    print("$ corteval", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "corteval", *arguments], check=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        os.environ["CORTEVAL_HOME"] = str(Path(place) / "home")
        folder = Path(place) / "recordings"
        folder.mkdir()
        made_up(folder)
        corteval(
            *("data", "register", str(folder), "--id", "MadeUp", "--yes", "--modality", "text"),
            *("--column", "context_id=passage", "--group-by", "context_id"),
            *("--stimuli", "sentences.csv", "--responses", "sentences.csv"),
            *("--value", "response", "--target", "language_system"),
        )
        drawn = ("--figure", sys.argv[1]) if len(sys.argv) > 1 else ()
        corteval("score", SUBJECTS, "MadeUp.language_system-ridgecv_zscored*", "--quiet", *drawn)
