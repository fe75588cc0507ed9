"""Decides. Pure: no I/O, no clock, no threads; values in, values out.

- `lifecycle`: states, triggers, rows: THE table, and the `transitions` machine built from it
- `guards`: the predicates that decide between rows
- `entry`: what a row does to the record of an update
- `update`: one update: request, record, failure, progress, limits
- `moment`: what the clock says, and deadlines that survive a restart and a reboot
- `policy`: may we go on now? yes, or not before T because R
- `twin`: method payload -> request; record -> reported patch
- `connection_string`: its parts, and what is wrong with it
- `credentials`: how a device proves who it is: key, token, certificate, enrolment
- `proxy`: the address of one, read
"""
