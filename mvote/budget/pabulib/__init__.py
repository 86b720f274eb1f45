"""Elections as .pb files: the format of https://pabulib.org/format, read and written as a stream.

A file is three tables in one, each a title, a row of column names and rows, cells parted by `;`:
META (key, value), PROJECTS, VOTES. `reading.Reader` and `reading.read` take it in, `contests`
makes a contest of it that can be allocated, `writing.written` gives one out.
"""
