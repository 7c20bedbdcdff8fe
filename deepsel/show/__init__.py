"""How figures, lines, tables, plots and pages look, whoever shows them; knows no report and writes nowhere."""
