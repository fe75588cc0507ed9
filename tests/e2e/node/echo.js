// The device of ../clients/device_sync.py, on the unmodified Node SDK.

'use strict';

const { promisify } = require('node:util');
const { Client, Message } = require('azure-iot-device');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');

const reported = (twin, patch) => promisify((done) => twin.properties.reported.update(patch, done))();

const ACTIONS = {
  read: async (client, twin) => {
    await promisify((done) => twin.get(done))();
    return { desired: twin.properties.desired, reported: twin.properties.reported };
  },
  report: (client, twin, payload) => reported(twin, payload),
  send: async (client, twin, payload) => {
    await client.sendEvent(new Message(JSON.stringify(payload)));
  },
  echo: async (client, twin, payload) => ({ name: 'echo', payload }),
};

async function main() {
  const client = Client.fromConnectionString(process.env.CONNECTION_STRING, process.argv[2] === 'websocket' ? MqttWs : Mqtt);
  await client.open();
  const twin = await client.getTwin();
  for (const [name, act] of Object.entries(ACTIONS)) {
    client.onDeviceMethod(name, async (request, response) => {
      try {
        await response.send(200, (await act(client, twin, request.payload)) ?? null);
      } catch (error) {
        await response.send(500, `${error.name}: ${error.message}`);
      }
    });
  }
  let first = true; // the client hands over all desired properties when the handler is set
  twin.on('properties.desired', (change) => {
    if (!first) reported(twin, { heard: JSON.stringify(change) });
    first = false;
  });
  await reported(twin, { ready: true });
  process.stdin.resume().on('end', () => process.exit(0));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
