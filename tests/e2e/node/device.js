// A device as the 2016 tutorial "How to do a firmware update" describes it, on the unmodified Node SDK.
//
// The tutorial simulates the work and tells every phase on the twin under `iothubDM.firmwareUpdate`. This one does the
// same, with the errors of the printed program mended: a failure is reported with its code and message, times are taken
// when the thing happens, each phase begins only once the hub has the report of the one before, and a second request
// while one runs is refused.
//
//     CONNECTION_STRING   of the device
//     STEP_MS             how long each simulated piece of work takes, 200 unless given
//     FAIL_IN             `download` or `apply`: where the simulated work fails

'use strict';

const { setTimeout: pause } = require('node:timers/promises');
const { Client } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');

const STEP_MS = Number(process.env.STEP_MS ?? 200);
const FAILURES = {
  download: { code: 'DownloadError', message: 'the simulated server closed the connection' },
  apply: { code: 'ApplyError', message: 'the simulated flash refused the image' },
};

class PhaseFailed extends Error {
  constructor(status, { code, message }) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

class FirmwareUpdate {
  constructor(twin) {
    this.twin = twin;
    this.running = false;
  }

  async run(uri) {
    this.running = true;
    try {
      await this.wait(uri);
      await this.download();
      await this.apply();
    } catch (failure) {
      if (!(failure instanceof PhaseFailed)) throw failure;
      await this.report({ status: failure.status, error: { code: failure.code, message: failure.message } });
    } finally {
      this.running = false;
    }
  }

  async wait(uri) {
    await this.report({ status: 'waiting', fwPackageUri: uri, error: null, startedWaitingTime: now() });
    await pause(STEP_MS);
  }

  async download() {
    await this.report({ status: 'downloading' });
    await work('download', 'downloadFailed');
    await this.report({ status: 'downloadComplete', downloadCompleteTime: now() });
  }

  async apply() {
    await this.report({ status: 'applying', startedApplyingImage: now() });
    await work('apply', 'applyFailed');
    await this.report({ status: 'applyComplete', lastFirmwareUpdate: now() });
  }

  report(firmwareUpdate) {
    return new Promise((resolve, reject) => {
      this.twin.properties.reported.update({ iothubDM: { firmwareUpdate } }, (error) => (error ? reject(error) : resolve()));
    });
  }
}

async function work(name, failedStatus) {
  await pause(STEP_MS);
  if (process.env.FAIL_IN === name) throw new PhaseFailed(failedStatus, FAILURES[name]);
}

function now() {
  return new Date().toISOString();
}

// The back end of 2016 sends the payload as JSON text, that of 2017 as an object.
function packageUri(payload) {
  const request = typeof payload === 'string' ? JSON.parse(payload) : payload;
  return new URL(request.fwPackageUri);
}

async function answer(update, request, response) {
  let uri;
  try {
    uri = packageUri(request.payload);
  } catch (error) {
    return response.send(400, `fwPackageUri is missing or no URL: ${error.message}`);
  }
  if (uri.protocol !== 'https:') return response.send(400, 'fwPackageUri must begin with https://');
  if (update.running) return response.send(409, 'a firmware update runs already');
  const finished = update.run(uri.href);
  await response.send(200, 'FirmwareUpdate started');
  return finished;
}

function end(error) {
  console.error(error);
  process.exit(1);
}

async function main() {
  const client = Client.fromConnectionString(process.env.CONNECTION_STRING, Mqtt);
  await client.open();
  const update = new FirmwareUpdate(await client.getTwin());
  client.onDeviceMethod('firmwareUpdate', (request, response) => answer(update, request, response).catch(end));
}

main().catch(end);
