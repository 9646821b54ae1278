import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.random_projection import SparseRandomProjection

from corteval.errors import OptionError
from corteval.model import record
from corteval_pytorch import PrincipalComponents, SparseProjection, commit


def test_a_sparse_projection_is_that_of_scikit_learn(plain, small, pictures, shelf):
    whole = record(commit(plain, small, {"V1": "conv1"}), pictures(20), "V1").values
    reduction = SparseProjection(features=50, seed=4)
    subject = commit(plain, small, {"V1": "conv1", "IT": "output"}, reduction=reduction)
    reduced = record(subject, pictures(20), "V1")
    wanted = SparseRandomProjection(50, random_state=4).fit_transform(whole)
    np.testing.assert_allclose(reduced.values, wanted, rtol=1e-4, atol=1e-4)
    assert list(reduced["neuroid_id"].values[:2]) == ["conv1-feature-0", "conv1-feature-1"]
    assert record(subject, pictures(20), "IT").sizes["neuroid"] == 5  # smaller than 50: as it is
    assert subject.notes == ("larger layers are reduced (sparse projection, 50, 4)",)


def test_principal_components_are_those_of_the_fitting_stimuli(
    plain, passes, small, pictures, shelf
):
    fit, shown = pictures(60, seed=1), pictures(9)
    whole = commit(plain, small, {"V1": "conv1"})
    exact = PCA(5, svd_solver="full").fit(record(whole, fit, "V1").values)
    wanted = exact.transform(record(whole, shown, "V1").values)
    reduction = PrincipalComponents(components=5, fit=fit)
    subject = commit(plain, small, {"V1": "conv1"}, reduction=reduction)
    got = record(subject, shown, "V1").values
    signs = np.sign((got * wanted).sum(axis=0))
    np.testing.assert_allclose(got * signs, wanted, rtol=1e-4, atol=1e-4)
    passes.clear()
    np.testing.assert_array_equal(record(subject, shown, "V1").values, got)
    assert not passes  # basis and responses are in the store


def test_what_cannot_be_reduced_to_is_refused(pictures):
    with pytest.raises(OptionError, match="need more stimuli"):
        PrincipalComponents(components=5, fit=pictures(4))
    with pytest.raises(OptionError, match="at least one feature"):
        SparseProjection(features=0)
