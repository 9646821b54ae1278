"""A data set packed for another lab, and two versions of one compared."""
