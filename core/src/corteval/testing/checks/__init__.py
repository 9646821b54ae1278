"""Checks, one module a kind of plugin; `corteval.testing.batteries` lists them.

A check is a function of a `Specimen` that returns None, or raises `CheckFailure` with a message, or
`NotApplicable`. It tests one fact of the contract; each has a deliberately wrong toy plugin in the
tests of the core that fails it and no other.
"""
