"""How the source `kafka` reads: as a member of a group that divides the topic's partitions.

client  connections, and the library's errors as ours
member  the group's member: what it is assigned, what it reads, what it commits
shelf   one partition of the topic: the lanes whose records lie there, and its offset's metadata
lane    what waits for one lane
"""
