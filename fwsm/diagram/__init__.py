"""Draws the machine that runs. No dependency, no graphviz: text in, text out, the same bytes every time.

- `graph`: the built machine and its table as states, edges and the labels on them
- `shown`: what the device twin shows after a row
- `mermaid`, `dot`, `markdown`, `jsontext`: the graph as text
- `placement`, `routes`, `applying`, `lines`, `label`: where states, edges and their labels stand in the picture; the
  built-in ones are placed by hand, the steps of an extension by a rule
- `room`, `layout`: the picture of one graph, stretched where its labels ask for more room
- `journey`, `tally`, `duration`: an update of a device as its history tells it, and what was counted
- `overlay`: what of that is shown on the graph; `pills`: where the counts of the edges stand
- `geometry`, `palette`, `svg`: the picture itself; `png`: the same as pixels
- `timeline`: one update along time
- `formats`: the names of all these
- `embed`: the block in the README
- `gallery`: the generated files, and which of them are stale
"""
