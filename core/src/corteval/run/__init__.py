"""Runs: many models on many benchmarks, in processes that may die, with all state on the disk.

A run is a folder (`folder.RunFolder`): its plan, one file for each task that is finished, leases of
those being worked on, and a log of events. Workers pull tasks from it, wherever they were started:
by `corteval run` on this machine, by a scheduler, or by hand. Models are asked in processes of
their own (`host`), which are shown opaque stimuli and hold no responses. Scores become immutable
records (`records`), found again by what determines them (`cells`).
"""
