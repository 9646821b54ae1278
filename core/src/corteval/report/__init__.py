"""Reports: what records say, as tables, figures and pages that work offline."""
