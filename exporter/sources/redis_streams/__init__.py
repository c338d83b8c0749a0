"""How the source `redis` reads: a log of several streams, its lanes, and who may read it.

client     commands and replies as they are on the wire, errors translated
entries    entries of streams, cuts through several streams, and their merge into one order
ownership  which of several processes reads
log        one reader that feeds the lanes, each lane's way back through what it missed
trimming   what was taken out of a stream before it was read, and what soon will be
"""
