"""Cross-validated regression beside scikit-learn and himalaya, one thread each.

    OMP_NUM_THREADS=1 python bench/metrics/regression.py [pls|ridge|linear|neuron_to_neuron|ridgecv|
                                                          himalaya|language]... [--features N ...]

Every side predicts the same test sets from the same arrays and is compared by r of each neuroid.
"""

import argparse
import warnings

import numpy as np
from arrays import features, objects, responses
from side_by_side import HEADER, compare

from corteval.stats.resampling import correlation
from corteval_regression import (
    linear_cv,
    neuron_to_neuron_cv,
    pls_cv,
    ridge_cv,
    ridgecv_cv,
)

warnings.filterwarnings("ignore")
STIMULI, NEUROIDS, SPLITS = 3200, 168, 10
ALPHAS = np.logspace(0, 6, 20)


def correlations(predictions, y, splits):
    return np.array(
        [correlation(p, y[test]) for p, (_, test) in zip(predictions, splits, strict=True)]
    )


def fitted(make, x, y, splits):
    """Plain scikit-learn, a split at a time."""
    predictions = [make().fit(x[train], y[train]).predict(x[test]) for train, test in splits]
    return correlations(predictions, y, splits)


def labelled(make, x, y, splits):
    """Rows selected by label and sorted, neuroids correlated one by one, as the field has it."""
    import pandas as pd
    import xarray as xr
    from scipy.stats import pearsonr

    ids = objects(len(x)).astype(object) + [f"-{i:05d}" for i in range(len(x))]

    def assembly(values, name):
        units = [f"{name}-{n}" for n in range(values.shape[1])]
        coords = {"stimulus_id": ("presentation", ids), "neuroid_id": ("neuroid", units)}
        return xr.DataArray(values, coords=coords, dims=["presentation", "neuroid"])

    source, target = assembly(x.astype(np.float64), "unit"), assembly(y, "neuroid")

    def rows(array, wanted):
        chosen = array.isel(presentation=np.flatnonzero(pd.Index(array.stimulus_id).isin(wanted)))
        return chosen.sortby("stimulus_id")

    r = []
    for train, test in splits:
        wanted = [ids[train], ids[test]]
        (x_train, x_test), (y_train, y_test) = (
            [rows(a, w) for w in wanted] for a in (source, target)
        )
        predicted = make().fit(x_train.values, y_train.values).predict(x_test.values)
        predicted = y_test.copy(data=predicted)
        r.append(
            [
                pearsonr(
                    predicted.isel(neuroid=predicted.neuroid_id.values == name).values[:, 0],
                    y_test.isel(neuroid=y_test.neuroid_id.values == name).values[:, 0],
                )[0]
                for name in y_test.neuroid_id.values
            ]
        )
    return np.array(r)


def best_units(x, y, splits):
    """Neuroid by neuroid, as the field has it."""
    predictions = []
    for train, test in splits:
        chosen = []
        for neuroid in range(y.shape[1]):
            known = y[train, neuroid] - y[train, neuroid].mean()
            centred = x[train] - x[train].mean(axis=0)
            with np.errstate(invalid="ignore"):
                r = (known @ centred) / np.sqrt((known**2).sum() * (centred**2).sum(axis=0))
            chosen.append(np.nanargmax(r))
        predictions.append(x[test][:, chosen])
    return correlations(predictions, y, splits)


def vision(count):
    from sklearn.model_selection import StratifiedShuffleSplit

    x, y = features(STIMULI, count), responses(STIMULI, NEUROIDS)
    splitter = StratifiedShuffleSplit(SPLITS, train_size=0.9, random_state=1)
    return x, y, list(splitter.split(x, objects(STIMULI)))


def few(splits, count):
    """Fewer splits for references that take long at many features."""
    return splits[:2] if count > 1000 else splits


def run(name, count):
    x, y, splits = vision(count)
    part = few(splits, count)
    sizes = f"{STIMULI} x {count}, {NEUROIDS} neuroids, {SPLITS} splits"
    sides = SIDES[name](x, y, splits, part)
    share = 1 if name == "himalaya" else len(part)
    shares = {side: share / SPLITS for side in sides if not side.startswith("corteval")}
    compare(f"{name}: {sizes}", sides, shares=shares)


def pls(x, y, splits, part):
    from sklearn.cross_decomposition import PLSRegression

    return {
        "scikit-learn": lambda: fitted(lambda: PLSRegression(25, scale=False), x, y, part),
        "corteval": lambda: correlations(pls_cv(x, y, splits), y, splits),
        "corteval, converged": lambda: correlations(pls_cv(x, y, splits, exact=True), y, splits),
    }


def ridge(x, y, splits, part):
    from sklearn.linear_model import Ridge

    return {
        "labelled arrays, scikit-learn": lambda: labelled(lambda: Ridge(alpha=1), x, y, part),
        "scikit-learn": lambda: fitted(lambda: Ridge(alpha=1), x.astype(np.float64), y, part),
        "corteval": lambda: correlations(ridge_cv(x, y, splits), y, splits),
    }


def linear(x, y, splits, part):
    from sklearn.linear_model import LinearRegression

    return {
        "labelled arrays, scikit-learn": lambda: labelled(LinearRegression, x, y, part),
        "scikit-learn": lambda: fitted(LinearRegression, x.astype(np.float64), y, part),
        "corteval": lambda: correlations(linear_cv(x, y, splits), y, splits),
    }


def neuron_to_neuron(x, y, splits, part):
    return {
        "loop over neuroids": lambda: best_units(x, y, part),
        "corteval": lambda: correlations(neuron_to_neuron_cv(x, y, splits), y, splits),
    }


def ridgecv(x, y, splits, part):
    from sklearn.linear_model import RidgeCV

    def reference():
        return fitted(
            lambda: RidgeCV(alphas=ALPHAS, alpha_per_target=True), x.astype(np.float64), y, part
        )

    def ours():
        fits = ridgecv_cv(x, y, splits, alphas=ALPHAS, alpha_per="target")
        return correlations(fits.predictions, y, splits)

    return {"scikit-learn": reference, "corteval": ours}


def himalaya(x, y, splits, part):
    from himalaya.ridge import RidgeCV

    def reference():
        predictions = []
        for train, test in splits[:1]:
            mean, offset = x[train].mean(0, dtype=np.float64), y[train].mean(0)
            model = RidgeCV(alphas=ALPHAS, cv=5, fit_intercept=False)
            model.fit(x[train] - mean, y[train] - offset)
            predictions.append(model.predict(x[test] - mean) + offset)
        return correlations(predictions, y, splits[:1])

    def ours():
        fits = ridgecv_cv(x, y, splits, alphas=ALPHAS, alpha_per="target")
        return correlations(fits.predictions, y, splits)

    return {"himalaya (five folds choose, not leave-one-out)": reference, "corteval": ours}


def language():
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import ShuffleSplit

    x, y = features(384, 768), responses(384, 12155)
    splits = list(ShuffleSplit(SPLITS, train_size=0.9, random_state=1).split(x))
    sides = {
        "scikit-learn": lambda: fitted(LinearRegression, x.astype(np.float64), y, splits),
        "corteval": lambda: correlations(linear_cv(x, y, splits), y, splits),
    }
    compare("linear: 384 sentences x 768, 12155 voxels, 10 splits", sides)


SIDES = {
    "pls": pls,
    "ridge": ridge,
    "linear": linear,
    "neuron_to_neuron": neuron_to_neuron,
    "ridgecv": ridgecv,
    "himalaya": himalaya,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=[*SIDES, "language"])
    parser.add_argument("--features", type=int, nargs="*", default=[1000, 4096, 25088])
    options = parser.parse_args()
    print(HEADER)
    for name in options.names:
        if name == "language":
            language()
            continue
        counts = options.features
        if name in ("ridgecv", "himalaya"):
            counts = [c for c in counts if c <= 4096]
        if name == "himalaya":
            counts = [c for c in counts if c <= 1000]
        for count in counts:
            run(name, count)


if __name__ == "__main__":
    main()
