"""A Device Provisioning Service beside the embedded hub: it assigns that hub to the devices that are enrolled.

    with Hub("127.0.7.1") as hub, hub.provisioning("127.0.7.2") as service:
        enrolled = service.enroll("pump-7")
        print(service.id_scope, enrolled.registration_id, enrolled.primary_key, service.address)

- `service`: the face for programs and tests
- `connection`: one device that registers, apart from its socket
- `enrollments`: who may register, and what is answered

It speaks MQTT, as the SDKs do by default, and forgets all when it ends; the hub keeps the devices that were assigned.
Sources: "Communicate with DPS using the MQTT protocol", "TPM, X.509 and symmetric key attestation".
"""

from __future__ import annotations

from fwsm.hub.provisioning.enrollments import Enrolled, derive_key
from fwsm.hub.provisioning.service import ProvisioningService

__all__ = ["Enrolled", "ProvisioningService", "derive_key"]
