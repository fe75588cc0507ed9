// An operator as the 2016 tutorial "How to do a firmware update" describes it, on the unmodified Node package
// azure-iothub: calls the direct method, then shows what the device says of the update until it is over.
//
// The tutorial's program never ended, showed nothing where the call had failed, and took a failed update for one under
// way. This one tells what it sees, one JSON object a line, and ends with
//
//     0   the update was applied
//     1   it failed
//     2   the device refused it, or could not be reached
//
//     CONNECTION_STRING   of a policy that may read twins and call methods
//     DEVICE              which device
//     PAYLOAD             of the method, as JSON
//     EVERY_MS            pause between two looks at the twin, 500 unless given

'use strict';

const { setTimeout: pause } = require('node:timers/promises');
const { Client, Registry } = require('azure-iothub');

const { CONNECTION_STRING, DEVICE } = process.env;
const EVERY_MS = Number(process.env.EVERY_MS ?? 500);
const ENDS = { applyComplete: 0, applyFailed: 1, downloadFailed: 1 };
const NOT_TAKEN = 2;

function tell(found) {
  console.log(JSON.stringify(found));
}

async function start() {
  const call = { methodName: 'firmwareUpdate', payload: JSON.parse(process.env.PAYLOAD), responseTimeoutInSeconds: 30 };
  try {
    const { result } = await Client.fromConnectionString(CONNECTION_STRING).invokeDeviceMethod(DEVICE, call);
    return { status: result.status, payload: result.payload };
  } catch (error) {
    return { refusedByHub: error.response?.statusCode ?? null, message: error.message };
  }
}

async function look(registry) {
  const { responseBody: twin } = await registry.getTwin(DEVICE);
  return twin.properties.reported.iothubDM?.firmwareUpdate;
}

// What stands on the twin may be of the update before, until the device has reported the new one.
async function follow(updateId) {
  const registry = Registry.fromConnectionString(CONNECTION_STRING);
  for (;;) {
    const firmwareUpdate = await look(registry);
    if (firmwareUpdate && firmwareUpdate.updateId === updateId) {
      tell({ reported: firmwareUpdate });
      if (firmwareUpdate.status in ENDS) return ENDS[firmwareUpdate.status];
    }
    await pause(EVERY_MS);
  }
}

async function main() {
  const answer = await start();
  tell({ answer });
  return answer.status === 200 ? follow(answer.payload.updateId) : NOT_TAKEN;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error);
    process.exitCode = 70;
  },
);
