"""Acts: what runs on the device.

- `device`: one device: its database, its link, its threads (`lifetime`); `assembly` makes one from settings, and
  `credentials` says as whom it connects
- `ports`: what the agent needs of the world, as protocols
- `agent`: drives the lifecycle, one step at a time; `turns`: when
- `record`: the update as it stands, and what follows a change of it: commit, report, hooks
- `commands`: direct methods, and what each is answered
- `work`: which work a state has; `loading` and `applying` do it, and end it in an `outcome`
- `job`: long work beside the agent's thread, one at a time
- `reporter`: drains the reports to the hub, in order, one in flight; `pace`: how often progress is told
- `iothub`: the link over `azure-iot-device`; the only room that imports `azure`
- `backoff`: tenacity with full jitter, an injected sleep, and a way out
- `download`: resumable HTTPS download
- `installers`: how an image gets into place; `health` is what new firmware must show before it stays
- `hooks`: what the embedding program hears of
- `fitting`: whether the parts that a program hands over can be used; `examined`: the same parts, with what they answer
  looked at in `answers`; `mishaps`: what went wrong in parts and hooks, on its way to the database
- `watchdog`: tells the supervisor that the work gets on, by `notify`
- `durable`: files that survive a power cut
- `clock`: the real clock
"""
