"""Time and memory of a V1 benchmark with and without the unit filter of its recordings.

    python bench/unit_filter.py

Both sides run in processes of their own: the installed benchmark, which asks for units near the
gratings, and the straightforward way, which records the whole layer for the receptive-field map.
Prints wall time, peak memory and their ratios.
"""

import json
import resource
import subprocess
import sys
import time


def filtered() -> None:
    import corteval

    corteval.score("gabor-filterbank", "Marques2020.V1-preferred_orientation")


def whole_layer() -> None:
    """The first step only, and already the larger."""
    import corteval
    from corteval import registry

    stimuli = registry.data.create("Marques2020.preferred_orientation").stimuli()
    model = corteval.models.create("gabor-filterbank")
    corteval.record(model, stimuli.where(stimulus_set="receptive_field"), "V1")


def measured(side: str) -> dict[str, float]:
    started = time.perf_counter()
    run = [sys.executable, __file__, side]
    out = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    return {"seconds": time.perf_counter() - started, **json.loads(out)}


def main() -> None:
    sides = {"filtered": filtered, "whole layer": whole_layer}
    if len(sys.argv) > 1:
        sides[sys.argv[1]]()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"peak_mib": peak}))
        return
    found = {side: measured(side) for side in sides}
    for side, figures in found.items():
        print(f"{side:12} {figures['seconds']:6.1f} s  {figures['peak_mib']:7.0f} MiB")
    for figure in ("seconds", "peak_mib"):
        ratio = found["whole layer"][figure] / found["filtered"][figure]
        print(f"whole layer / filtered, {figure}: {ratio:.1f}")


if __name__ == "__main__":
    main()
