"""Gets the image onto the disk over HTTPS, whatever happens on the way.

- `fetch`: `HttpsDownload`, the download port
- `transfer`: one fetch in motion: tries, waits, stalls, the digest at the end
- `part`: the half-loaded file and its record: which bytes count after a crash
- `checkpoint`: makes bytes safe beside the loading
- `answer`: what an HTTP answer means for the part; pure
- `header`: the header fields it is judged by; pure
- `request`: one request: redirects, TLS, and what went wrong in words
- `pump`: reads a body in a thread of its own, so that nothing can hold up the caller
"""

from __future__ import annotations

from fwsm.device.download.fetch import HttpsDownload

__all__ = ["HttpsDownload"]
