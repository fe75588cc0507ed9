"""How an image gets into place. Each installer keeps the promises of `fwsm.device.ports.Installer`.

- `slots`: two slot files and a boot pointer in one directory: the built-in installer
- `bootloader`: the board under it: what it boots next, and why
- `pointer`: the boot pointer as a value, and every move it can make; pure
- `image`: writing an image and reading it back
- `faults`: what the operating system refuses, as errors of ours
"""
