"""``python -m corteval`` is ``corteval`` of the interpreter that runs it."""

import sys

from corteval.cli import main

sys.exit(main())
