"""Does a benchmark tell good from bad? Score a V1 model beside its negative controls."""

import corteval

BENCHMARK = "Marques2020.V1-preferred_orientation"
MODELS = ["gabor-filterbank", "gabor-45-degrees", "pixels"]

for score in corteval.score_all(MODELS, [BENCHMARK]):
    print(score)
    for note in score.notes:
        print("   ", note)
