"""The timeline of one update: when it was where, and what happened on the way.

- `axis`: time along a line, and what of it is cut; `ticks`: wall time beside it
- `story`: what it says in words
- `parts`, `layout`, `svg`: the picture
- `text`: the same for a terminal
- `jsontext`: the same for programs
"""
