"""What people read when they got something wrong, in full: what it is, why, and what to do.

Elsewhere the tests look for the words that matter; here whoever changes a sentence sees how it reads beside the others.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from fwsm.core.connection_string import DeviceConnection, ServiceConnection
from fwsm.core.guards import reboot_required
from fwsm.core.lifecycle import Extension, Row, Step, Trigger
from fwsm.core.policy import AllOf, Always, Delay, Window
from fwsm.core.request import parse_request
from fwsm.core.update import State
from fwsm.errors import FwsmError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from fwsm.core.update import Update

KEY = base64.b64encode(bytes(range(7, 39))).decode()
URI = "https://images.example/1.img"


def nothing(_update: Update, _stop: threading.Event) -> None:
    """The work of a step."""


WARNING = Step("warning", State.REBOOTING, nothing)

SENTENCES: list[tuple[Callable[[], object], str]] = [
    (
        lambda: DeviceConnection.parse(f"HostName=h;SharedAccessKeyName=p;SharedAccessKey={KEY}"),
        (
            "the device's connection string has no DeviceId: it names a policy, so it is an operator's. A "
            "device's connection string reads HostName=…;DeviceId=…;SharedAccessKey=…"
        ),
    ),
    (
        lambda: DeviceConnection.parse("HostName=h;DeviceId=d"),
        (
            "SharedAccessKey is missing in the device's connection string: it takes HostName, DeviceId, "
            "SharedAccessKey, and has HostName, DeviceId. A device's connection string reads "
            "HostName=…;DeviceId=…;SharedAccessKey=…"
        ),
    ),
    (
        lambda: DeviceConnection.parse("GatewayHostName=edge"),
        (
            "HostName is missing in the device's connection string: it takes HostName, DeviceId, SharedAccessKey,"
            " and has none of them. A device's connection string reads HostName=…;DeviceId=…;SharedAccessKey=…"
        ),
    ),
    (
        lambda: DeviceConnection.parse(f"HostName=h:8883;DeviceId=d;SharedAccessKey={KEY}"),
        (
            "HostName carries a port in the device's connection string: a device always connects to port 8883. "
            "Leave the port out"
        ),
    ),
    (
        lambda: DeviceConnection.parse(f"HostName=h/;DeviceId=d;SharedAccessKey={KEY}"),
        (
            "HostName is not the name of a host: it may carry a port, no more. A device's connection string reads"
            " HostName=…;DeviceId=…;SharedAccessKey=…"
        ),
    ),
    (
        lambda: DeviceConnection.parse("HostName=h;DeviceId=d;SharedAccessKey=lo$t"),
        (
            "SharedAccessKey is not base64: a part of it may have been lost in copying. A device's connection "
            "string reads HostName=…;DeviceId=…;SharedAccessKey=…"
        ),
    ),
    (
        lambda: DeviceConnection.parse("HostName=h;DeviceID=d"),
        (
            "part 2 of the connection string has an unknown name: it should be written DeviceId. A device's "
            "connection string reads HostName=…;DeviceId=…;SharedAccessKey=…"
        ),
    ),
    (
        lambda: DeviceConnection.parse("HostName=h;Device=d"),
        (
            "part 2 of the connection string has an unknown name: known are HostName, DeviceId, ModuleId, "
            "GatewayHostName, SharedAccessKeyName, SharedAccessKey, SharedAccessSignature, x509. A device's "
            "connection string reads HostName=…;DeviceId=…;SharedAccessKey=…"
        ),
    ),
    (
        lambda: DeviceConnection.parse("HostName=h;DeviceId"),
        (
            "part 2 of the connection string has no '='. A device's connection string reads "
            "HostName=…;DeviceId=…;SharedAccessKey=…"
        ),
    ),
    (
        lambda: DeviceConnection.parse("HostName=h;HostName=i"),
        (
            "the connection string has HostName twice. A device's connection string reads "
            "HostName=…;DeviceId=…;SharedAccessKey=…"
        ),
    ),
    (
        lambda: ServiceConnection.parse(f"HostName=h;DeviceId=d;SharedAccessKey={KEY}"),
        (
            "the operator's connection string names a DeviceId: it is a device's. An operator's connection string"
            " reads HostName=…;SharedAccessKeyName=…;SharedAccessKey=…"
        ),
    ),
    (
        lambda: ServiceConnection.parse(f"HostName=h;SharedAccessKeyName=;SharedAccessKey={KEY}"),
        (
            "SharedAccessKeyName is empty in the operator's connection string: it takes HostName, "
            "SharedAccessKeyName, SharedAccessKey, and has HostName, SharedAccessKey. An operator's connection "
            "string reads HostName=…;SharedAccessKeyName=…;SharedAccessKey=…"
        ),
    ),
    (
        lambda: ServiceConnection.parse(f"HostName=h:0;SharedAccessKeyName=p;SharedAccessKey={KEY}"),
        "HostName has the port 0. Use a number from 1 to 65535",
    ),
    (
        lambda: Window.parse("two to four"),
        (
            "'two to four' is not a maintenance window: it takes two times of day with a dash between them. Write"
            " it like 02:00-04:30"
        ),
    ),
    (
        lambda: Window.parse("02:00-02:00"),
        (
            "'02:00-02:00' is not a maintenance window: start and end must differ and carry no zone of their own."
            " Write it like 02:00-04:30 and give the zone beside it"
        ),
    ),
    (
        lambda: Window.parse("02:00-04:30", "Zurich"),
        (
            "time zone 'Zurich' is not known here: 'No time zone found with key Zurich'. Use a name like "
            "Europe/Zurich or UTC"
        ),
    ),
    (
        lambda: AllOf([Always(), Delay(60.0)]),
        (
            "a Delay stands behind another policy: only one of them can keep its deadline, and a delay needs it. "
            "Put one Delay first"
        ),
    ),
    (
        lambda: Step("early", State.WAITING, nothing),
        (
            "the step 'early' cannot stand before 'waiting': steps are children of 'applying'. Choose one of "
            "INSTALLING, REBOOTING, CONFIRMING"
        ),
    ),
    (
        lambda: Step("installing", State.INSTALLING, nothing),
        "the step 'installing' has the name of a built-in state. Choose another name",
    ),
    (
        lambda: Step("early bird", State.INSTALLING, nothing),
        (
            "'early bird' cannot be a state: it is written on the twin and into the database. Use up to 40 "
            "letters and digits, beginning with a small letter"
        ),
    ),
    (
        lambda: Extension((WARNING, WARNING)),
        "two steps have the same name: warning, warning. Give each a name of its own",
    ),
    (
        lambda: Extension(rows=(Row(Trigger.POLICY_ALLOWED, State.WAITING, State.DOWNLOADING),)),
        (
            "the row 'policy_allowed' from 'waiting' to 'downloading' cannot be added: without a guard it would "
            "hide the built-in rows behind it. Give it a guard"
        ),
    ),
    (
        lambda: Extension(rows=(Row(Trigger.ROLLED_BACK, State.WAITING, State.DOWNLOADING, (reboot_required,)),)),
        (
            "the row 'rolled_back' from 'waiting' to 'downloading' cannot be added: the built-in table does not "
            "know this trigger there. Choose one that it knows, or add a step"
        ),
    ),
    (
        lambda: Extension(rows=(Row(Trigger.POLICY_ALLOWED, State.WAITING, None, (reboot_required,)),)),
        (
            "the row 'policy_allowed' from 'waiting' to 'None' cannot be added: it would break what the table "
            "promises. Lead it to downloadFailed or downloading"
        ),
    ),
    (
        lambda: Extension(rows=(Row(Trigger.RESTARTED, State.APPLY_COMPLETE, State.WAITING, (reboot_required,)),)),
        (
            "the row 'restarted' from 'applyComplete' to 'waiting' cannot be added: it would break what the table"
            " promises. Leave it out: nothing can be added here"
        ),
    ),
    (
        lambda: parse_request([]),
        'the payload is not an object: it is an array. Send {"fwPackageUri": "https://…"}',
    ),
    (
        lambda: parse_request("{"),
        (
            "the payload is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char "
            '1). Send {"fwPackageUri": "https://…"}'
        ),
    ),
    (
        lambda: parse_request(" " * 200_000),
        (
            'the payload is too long: it has 200000 characters, and 131072 are allowed. Send {"fwPackageUri": '
            '"https://…"}'
        ),
    ),
    (
        lambda: parse_request('{"fwVersion": "1", "fwVersion": "2"}'),
        "'fwVersion' stands there twice: which of the two is meant cannot be told. Send each field once",
    ),
    (
        lambda: parse_request('{"a": NaN}'),
        'the payload is not JSON: JSON has no NaN. Send {"fwPackageUri": "https://…"}',
    ),
    (
        lambda: parse_request({"fwPackageUrl": URI}),
        (
            "'fwPackageUrl' is not known: known are fwPackageUri, fwPackageCheckValue, fwVersion. Leave it out, "
            "or look for a typing error"
        ),
    ),
    (
        lambda: parse_request({}),
        'fwPackageUri is missing: it says where the image is. Send {"fwPackageUri": "https://…"}',
    ),
    (
        lambda: parse_request({"fwPackageUri": 5}),
        'fwPackageUri is not a text: it is a number. Send {"fwPackageUri": "https://…"}',
    ),
    (
        lambda: parse_request({"fwPackageUri": "https://" + "h" * 5000}),
        (
            "fwPackageUri is too long: it has 5008 characters, and 2000 are allowed. Send a shorter one; a "
            "redirect will be followed"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": "https://h/a b"}),
        (
            "fwPackageUri has characters that no URI has: one of them is U+0020, character 12. Percent-encode it;"
            " write an international host name in its form with xn--"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": "https://h/100%"}),
        (
            "fwPackageUri has a percent sign that announces nothing: behind character 14 there should be two hex "
            "digits. Write a percent sign of its own as %25"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": "ftp://h/1.img"}),
        "fwPackageUri has the scheme 'ftp': this device does not load images that way. Use https",
    ),
    (
        lambda: parse_request({"fwPackageUri": "1.img"}),
        "fwPackageUri has no scheme: this device does not load images that way. Use https",
    ),
    (
        lambda: parse_request({"fwPackageUri": "http://h/1.img"}, allow_http=False),
        "fwPackageUri has the scheme 'http': this device does not load images that way. Use https",
    ),
    (
        lambda: parse_request({"fwPackageUri": "ftp://h/1.img"}, allow_http=True),
        "fwPackageUri has the scheme 'ftp': this device does not load images that way. Use https or http",
    ),
    (
        lambda: parse_request({"fwPackageUri": "https://me:word@h/1.img"}),
        (
            "fwPackageUri carries credentials: they would end up in logs and reports. Use a signed URL, or give "
            "the device its own credentials for the server"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": "https://h:port/1.img"}),
        (
            "fwPackageUri has a bad host or port: behind the scheme stand two slashes, a host name or address, "
            'and perhaps a port of 1 to 65535. Send {"fwPackageUri": "https://…"}; an international name in its '
            "form with xn--"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": "https:///1.img"}),
        (
            "fwPackageUri names no host: behind the scheme stand two slashes, a host name or address, and perhaps"
            ' a port of 1 to 65535. Send {"fwPackageUri": "https://…"}; an international name in its form with '
            "xn--"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": "https://h:0/1.img"}),
        (
            "fwPackageUri names port 0: behind the scheme stand two slashes, a host name or address, and perhaps "
            'a port of 1 to 65535. Send {"fwPackageUri": "https://…"}; an international name in its form with '
            "xn--"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": URI, "fwPackageCheckValue": "abc"}),
        (
            "fwPackageCheckValue is no SHA-256 digest: it has 3 characters, not 64 hex digits. Send what "
            "sha256sum prints"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": URI, "fwPackageCheckValue": ""}),
        "fwPackageCheckValue is no SHA-256 digest: it is empty. Send what sha256sum prints",
    ),
    (
        lambda: parse_request({"fwPackageUri": URI, "fwPackageCheckValue": True}),
        "fwPackageCheckValue is no SHA-256 digest: it is a boolean. Send what sha256sum prints",
    ),
    (
        lambda: parse_request({"fwPackageUri": URI, "fwVersion": None, "fwPackageCheckValue": None, "": 1}),
        (
            "'(empty)' is not known: known are fwPackageUri, fwPackageCheckValue, fwVersion. Leave it out, or "
            "look for a typing error"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": URI, "fwVersion": ""}),
        (
            "fwVersion is no version: it is empty. Send a text of 1 to 128 printable characters, without blanks "
            "around it"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": URI, "fwVersion": ["1"]}),
        (
            "fwVersion is no version: it is an array. Send a text of 1 to 128 printable characters, without blanks "
            "around it"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": URI, "fwVersion": "1\n"}),
        (
            "fwVersion is no version: it has characters that cannot be seen. Send a text of 1 to 128 printable "
            "characters, without blanks around it"
        ),
    ),
    (
        lambda: parse_request({"fwPackageUri": URI, "fwVersion": "1" * 200}),
        (
            "fwVersion is no version: it has 200 characters. Send a text of 1 to 128 printable characters, without "
            "blanks around it"
        ),
    ),
]


@pytest.mark.parametrize(("mistake", "text"), SENTENCES)
def test_a_mistake_is_told_in_whole_sentences(mistake: Callable[[], object], text: str) -> None:
    """What, why, and what to do."""
    with pytest.raises(FwsmError) as caught:
        mistake()
    assert str(caught.value) == text
