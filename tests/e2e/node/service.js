// The operator of ../clients/service.py, on the unmodified Node package azure-iothub.

'use strict';

const { setTimeout: pause } = require('node:timers/promises');
const { Client, DigitalTwinClient, IoTHubTokenCredentials, JobClient, Registry } = require('azure-iothub');

const TEXT = process.env.CONNECTION_STRING;
const KEYS = { primaryKey: 'A'.repeat(43) + '=', secondaryKey: 'B'.repeat(42) + 'A=' };

// The HTTP status with which a call is refused.
async function status(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return error.response?.statusCode ?? error.statusCode ?? `${error.name}: ${error.message}`;
  }
}

const body = (result) => result.responseBody;

async function over(operator, jobId) {
  let job;
  for (let tries = 0; tries < 100; tries += 1) {
    job = (await operator.getJob(jobId)).jobStatus;
    if (!['queued', 'scheduled', 'running'].includes(job.status)) break;
    await pause(200);
  }
  return job;
}

const SCENES = {
  async registry() {
    const operator = Registry.fromConnectionString(TEXT);
    const device = { deviceId: 'd3', status: 'enabled', authentication: { symmetricKey: KEYS } };
    const created = body(await operator.create(device));
    const again = await status(() => operator.create(device));
    await operator.update({ ...device, status: 'disabled', etag: created.etag });
    const stale = await status(() => operator.update({ ...device, etag: created.etag }));
    const read = body(await operator.get('d3'));
    const listed = body(await operator.list()).map((found) => found.deviceId).sort();
    const disabled = body(await operator.getRegistryStatistics()).disabledDeviceCount;
    await operator.addModule({ deviceId: 'd3', moduleId: 'm1', managedBy: 'nobody', authentication: { symmetricKey: KEYS } });
    const modules = body(await operator.getModulesOnDevice('d3')).map((found) => found.moduleId);
    await operator.delete('d3');
    return {
      again, stale, status: read.status, key: read.authentication.symmetricKey.primaryKey, listed, disabled, modules,
      gone: await status(() => operator.get('d3')),
    };
  },

  async twin() {
    const operator = Registry.fromConnectionString(TEXT);
    const { etag } = body(await operator.getTwin('d1'));
    const patch = { tags: { site: 'a' }, properties: { desired: { x: { y: [1] } } } };
    await operator.updateTwin('d1', patch, etag);
    const stale = await status(() => operator.updateTwin('d1', patch, etag));
    const read = body(await operator.getTwin('d1'));
    return { stale, tags: read.tags, x: read.properties.desired.x };
  },

  async bulk() {
    const operator = Registry.fromConnectionString(TEXT);
    const devices = ['b1', 'b2'].map((deviceId) => ({ deviceId, status: 'enabled', authentication: { symmetricKey: KEYS } }));
    const names = async () => body(await operator.list()).map((found) => found.deviceId).sort();
    const created = body(await operator.addDevices(devices)).isSuccessful;
    const again = await status(() => operator.addDevices(devices.slice(0, 1)));
    const listed = await names();
    const deleted = body(await operator.removeDevices(devices, true)).isSuccessful;
    return { created, again, listed, deleted, left: await names() };
  },

  async module_twin() {
    const operator = Registry.fromConnectionString(TEXT);
    await operator.addModule({ deviceId: 'd1', moduleId: 'm1', managedBy: 'nobody', authentication: { symmetricKey: KEYS } });
    const { etag } = body(await operator.getModuleTwin('d1', 'm1'));
    const patch = { tags: { site: 'a' }, properties: { desired: { x: 1 } } };
    await operator.updateModuleTwin('d1', 'm1', patch, etag);
    const stale = await status(() => operator.updateModuleTwin('d1', 'm1', patch, etag));
    const read = body(await operator.getModuleTwin('d1', 'm1'));
    return { stale, tags: read.tags, x: read.properties.desired.x };
  },

  async method() {
    const operator = Client.fromConnectionString(TEXT);
    const call = { methodName: 'echo', payload: { a: [1] }, responseTimeoutInSeconds: 20 };
    const { result } = await operator.invokeDeviceMethod('d1', call);
    const offline = await status(() => operator.invokeDeviceMethod('d2', call));
    return { status: result.status, payload: result.payload, offline };
  },

  async query() {
    const operator = Registry.fromConnectionString(TEXT);
    const query = operator.createQuery('SELECT * FROM devices', 1);
    const pages = [];
    while (query.hasMoreResults) pages.push((await query.nextAsTwin()).result.map((found) => found.deviceId));
    return { pages, wrong: await status(() => operator.createQuery('SELECT * FRO devices').next()) };
  },

  async digital_twin() {
    const operator = new DigitalTwinClient(new IoTHubTokenCredentials(TEXT));
    await operator.updateDigitalTwin('d1', [{ op: 'add', path: '/t1/target', value: 20 }]);
    const read = await operator.getDigitalTwin('d1');
    return {
      id: read.$dtId,
      t1: read.t1.$metadata.target.desiredValue,
      command: (await operator.invokeCommand('d1', 'go', { a: 1 })).body,
      component: (await operator.invokeComponentCommand('d1', 't1', 'go', 'now', { responseTimeoutInSeconds: 20 })).body,
      offline: await status(() => operator.invokeCommand('d2', 'go', {})),
    };
  },

  async jobs() {
    const operator = JobClient.fromConnectionString(TEXT);
    const schedule = () =>
      operator.scheduleTwinUpdate('j1', "deviceId IN ['d1', 'd2']", { etag: '*', tags: { job: 1 } }, new Date(), 60);
    await schedule();
    const again = await status(schedule);
    const job = await over(operator, 'j1');
    const listed = (await operator.createQuery('scheduleUpdateTwin', 'completed').next()).result.map((found) => found.jobId);
    return {
      again, status: job.status, succeeded: job.deviceJobStatistics.succeededCount, listed,
      unknown: (await operator.getJob('j9')).jobStatus.status,
      cancelled: await status(() => operator.cancelJob('j9')),
    };
  },

  async method_job() {
    const operator = JobClient.fromConnectionString(TEXT);
    const call = { methodName: 'echo', payload: { a: 1 } };
    await operator.scheduleDeviceMethod('m1', "deviceId IN ['d1', 'd2']", call, new Date(), 60);
    const job = await over(operator, 'm1');
    const { succeededCount: succeeded, failedCount: failed } = job.deviceJobStatistics;
    return { status: job.status, succeeded, failed };
  },

  async cancelled() {
    const operator = JobClient.fromConnectionString(TEXT);
    const start = new Date(Date.now() + 3600 * 1000);
    await operator.scheduleTwinUpdate('c1', "deviceId = 'd1'", { etag: '*', tags: { job: 1 } }, start, 60);
    const before = (await operator.getJob('c1')).jobStatus.status;
    await operator.cancelJob('c1');
    return { before, after: (await over(operator, 'c1')).status };
  },

  async configurations() {
    const operator = Registry.fromConnectionString(TEXT);
    const configuration = {
      id: 'c1', schemaVersion: '1.0', content: { deviceContent: { 'properties.desired.fw': { v: 2 } } },
      targetCondition: "deviceId = 'd1'", priority: 1,
    };
    const created = body(await operator.addConfiguration(configuration));
    await operator.updateConfiguration({ ...created, priority: 5 });
    await operator.addConfiguration({ ...configuration, id: 'c2', targetCondition: '' });
    await operator.removeConfiguration('c2');
    return {
      priority: body(await operator.getConfiguration('c1')).priority,
      listed: body(await operator.getConfigurations()).map((found) => found.id),
      gone: await status(() => operator.getConfiguration('c2')),
    };
  },
};

SCENES[process.argv[2]]().then(
  (found) => process.stdout.write(JSON.stringify(found), () => process.exit(0)),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
