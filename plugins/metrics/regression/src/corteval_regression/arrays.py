"""Linear algebra on numpy and torch arrays alike, each by the fastest routine it has.

Functions that take arrays work on the library and device of what they are given. Factorisations
and solves are the only places where the two libraries differ; they are all here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corteval.errors import OptionError

#: A numpy array or a torch tensor.
Array = Any


def is_numpy(x: Array) -> bool:
    """Whether `x` is numpy's."""
    return isinstance(x, np.ndarray)


def on_device(values: np.ndarray, device: str) -> Array:
    """`values` where they are to be computed: numpy for ``"cpu"``, else a torch tensor.

    Args:
        values: any shape.
        device: ``"cpu"``, ``"torch"`` (torch on the CPU), or a torch device such as ``"cuda"``.

    Raises:
        OptionError: if torch or the device is missing.
    """
    if device == "cpu":
        return values
    try:
        import torch

        return torch.as_tensor(
            np.ascontiguousarray(values), device="cpu" if device == "torch" else device
        )
    except ImportError as error:
        raise OptionError(
            f"device={device!r} needs torch: pip install 'corteval-regression[torch]'."
        ) from error
    except (RuntimeError, AssertionError) as error:
        raise OptionError(f"device={device!r} cannot be used: {error}") from error


def as_numpy(x: Array) -> np.ndarray:
    """`x` as a numpy array."""
    return x if is_numpy(x) else np.asarray(x.cpu().numpy())


def like(x: Array, values: Any) -> Array:
    """`values` in the library and on the device of `x`; floats as float64."""
    if is_numpy(x):
        values = as_numpy(values) if hasattr(values, "cpu") else np.asarray(values)
        return values.astype(np.float64) if values.dtype.kind == "f" else values
    import torch

    made = torch.as_tensor(values, device=x.device)
    return made.double() if made.is_floating_point() else made


def double(x: Array) -> Array:
    """`x` in float64; `x` itself if it is so already."""
    return x.astype(np.float64, copy=False) if is_numpy(x) else x.double()


def column_means(x: Array) -> Array:
    """(column) means in float64, without a float64 copy where the library can."""
    if is_numpy(x):
        return x.mean(axis=0, dtype=np.float64)
    import torch

    return x.mean(0, dtype=torch.float64)


def minus(x: Array, row: Array) -> Array:
    """A float64 copy of `x`, minus `row` from each row."""
    copy = x.astype(np.float64) if is_numpy(x) else x.double() + 0.0
    copy -= row
    return copy


def sum_of_squares(x: Array) -> Array:
    """(column) sums of squares."""
    return np.einsum("ij,ij->j", x, x) if is_numpy(x) else (x * x).sum(0)


def zeros(x: Array, *shape: int) -> Array:
    """Float64 zeros in the library and on the device of `x`."""
    if is_numpy(x):
        return np.zeros(shape)
    import torch

    return torch.zeros(shape, dtype=torch.float64, device=x.device)


def add_product(total: Array, block: Array) -> Array:
    """`total` + block blockᵀ in place; of numpy arrays, only the upper triangle.

    Args:
        total: (row, row) float64, C-ordered.
        block: (row, column) float64.
    """
    if not is_numpy(total):
        return total.addmm_(block, block.T)
    from scipy.linalg.blas import dsyrk

    # Fortran sees a C-ordered array as its transpose, and an upper triangle as a lower one
    columns_first = block.flags.f_contiguous
    dsyrk(
        1.0,
        block if columns_first else np.ascontiguousarray(block).T,
        beta=1.0,
        c=total.T,
        trans=0 if columns_first else 1,
        lower=1,
        overwrite_c=1,
    )
    return total


def mirror(total: Array, budget: int = 2**16) -> Array:
    """`total` with its lower triangle copied from the upper, in place, by bands of rows."""
    if is_numpy(total):
        step = max(1, budget // max(1, len(total)))
        for start in range(0, len(total), step):
            stop = min(start + step, len(total))
            total[start:stop, :start] = total[:start, start:stop].T
            corner = total[start:stop, start:stop]
            corner[...] = np.triu(corner) + np.triu(corner, 1).T
    return total


def cholesky(matrix: Array) -> Array:
    """Lower factor of a positive definite matrix; None if it is not."""
    try:
        if is_numpy(matrix):
            from scipy.linalg import cholesky as factorise

            return factorise(matrix, lower=True, check_finite=False)
        import torch

        factor, failed = torch.linalg.cholesky_ex(matrix)
        return None if bool(failed) else factor
    except np.linalg.LinAlgError:
        return None


def solve(factor: Array, right: Array) -> Array:
    """A⁻¹ B from the lower Cholesky factor of A."""
    if is_numpy(factor):
        from scipy.linalg import cho_solve

        return cho_solve((factor, True), right, check_finite=False)
    import torch

    return torch.cholesky_solve(right, factor)


def solve_lower(factor: Array, right: Array) -> Array:
    """L⁻¹ B for a lower triangular L."""
    if is_numpy(factor):
        from scipy.linalg import solve_triangular

        return solve_triangular(factor, right, lower=True, check_finite=False)
    import torch

    return torch.linalg.solve_triangular(factor, right, upper=False)


def inverse(factor: Array) -> Array:
    """A⁻¹ from the lower Cholesky factor of A, which is overwritten where possible."""
    if is_numpy(factor):
        from scipy.linalg.lapack import dpotri

        found, _ = dpotri(np.asfortranarray(factor), lower=1, overwrite_c=1)
        return mirror(found.T)  # the lower triangle in Fortran's order is an upper one in C's
    import torch

    return torch.cholesky_inverse(factor)


def eigh(matrix: Array) -> tuple[Array, Array]:
    """Eigenvalues, ascending, and eigenvectors in columns of a symmetric matrix."""
    if is_numpy(matrix):
        from scipy.linalg import eigh as decompose

        return decompose(matrix, check_finite=False, driver="evd")
    import torch

    return tuple(torch.linalg.eigh(matrix))


def orthonormal(matrix: Array) -> Array:
    """Orthonormal columns that span those of `matrix`, of which there are no more than rows."""
    if is_numpy(matrix):
        return np.linalg.qr(matrix)[0]
    import torch

    return torch.linalg.qr(matrix)[0]


def least_squares(matrix: Array, right: Array) -> Array:
    """Minimise |A B - Y| with the smallest B, leaving out singular values that are rounding.

    The cut-off is numpy's and scikit-learn's: the larger side of A times the unit of rounding.
    """
    cut = max(matrix.shape) * float(np.finfo(np.float64).eps)
    if is_numpy(matrix):
        from scipy.linalg import lstsq

        return lstsq(matrix, right, cond=cut, check_finite=False)[0]
    import torch

    u, s, v = torch.linalg.svd(matrix, full_matrices=False)
    kept = s > s.max() * cut
    return v[kept].T @ ((u[:, kept].T @ right) / s[kept, None])


def solve_upper(factor: Array, right: Array) -> Array:
    """L'⁻¹ B for a lower triangular L."""
    if is_numpy(factor):
        from scipy.linalg import solve_triangular

        return solve_triangular(factor, right, lower=True, trans=1, check_finite=False)
    import torch

    return torch.linalg.solve_triangular(factor.T, right, upper=True)
