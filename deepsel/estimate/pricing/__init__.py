"""Counts to costs: portions, groups, rows, premiums, comparisons, limits and the report. Reads and sends nothing."""
