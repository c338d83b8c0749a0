"""How the source `file` reads.

listing   the files that match the pattern, looked at as seldom as may be; one for all lanes
reader    how far one lane is, and which files it holds open
bookmark  the same as text
tail      lines of one open file
"""
