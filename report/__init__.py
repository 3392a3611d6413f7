"""The report: tables, figures and page (build), and the experiments it compares (experiments)."""
