"""The area between two curves."""

import numpy as np
import pytest

from corteval_ferguson2024.asymmetry import asymmetry_weights, search_asymmetry


def test_the_area_is_exact_for_lines():
    levels = np.array([1.0, 5.0, 11.0])
    assert asymmetry_weights(levels) @ (2 + 3 * levels) == pytest.approx(2 * 10 + 1.5 * 120)
    accuracy = np.array([[0.7, 0.7, 0.7], [0.8, 0.8, 0.8]])
    assert search_asymmetry(accuracy, levels) == pytest.approx(1.0)
    assert search_asymmetry(accuracy, levels, 0.5) == pytest.approx(2.0)
