"""Rolls that organisers bring as files: read, checked, kept as keyed hashes only.

From file to eligibility: `reading` takes a file as a table (`csv_table`, `xlsx_table`), finds the
column (`columns`) and reads its `numbers`; `importing` keeps an entry of each; `entries` tells at
every cast who is on the roll; `forgetting` ends it.
"""
