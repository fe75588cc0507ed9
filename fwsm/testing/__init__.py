"""For tests and demonstrations, of this package and of what is built on it. Shipped and public.

- `plugin`: the pytest fixture `iot_hub`
- `clock`: a clock that jumps when somebody waits
- `power`: cuts the power at any durable operation, in process
- `lossy`: a disk and a store that forget at a cut what was not synced
- `rig`: one device in process whose power can be cut
- `sweep`: cuts such a device at each moment, or at pairs of them
- `fakes`: a download and an installer in memory
- `link`: a hub in memory, as the device sees it
- `image_server`: an HTTPS server for images, with a log of what it sent
- `image_faults`: what such a server can do wrong, by name
- `image_shelf`: the state that the server's threads share
- `process`: a device in a process of its own, to be killed
- `bad_days`: what can go wrong in a rehearsal, by name
- `rehearsal`: a whole update on this machine, with kills and faults on the way
"""
