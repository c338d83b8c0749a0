// Camunda's Node SDK against a gateway: deploys a file, works its jobs, waits for the result.
// Usage: node camunda_sdk.mjs HOST:PORT FILE.bpmn; prints what it saw as JSON.
import { Camunda8 } from "@camunda8/sdk";

const [address, file] = process.argv.slice(2);
const camunda = new Camunda8({
  ZEEBE_GRPC_ADDRESS: `grpc://${address}`,
  CAMUNDA_OAUTH_DISABLED: true,
  CAMUNDA_LOG_LEVEL: "none",
});
const zeebe = camunda.getZeebeGrpcApiClient();
const seen = { completed: [], failed: 0, thrown: 0, streamed: 0 };

const topology = await zeebe.topology();
seen.partitions = topology.partitionsCount;
const deployment = await zeebe.deployResource({ processFilename: file });
seen.deployed = deployment.deployments[0].process.bpmnProcessId;
seen.version = deployment.deployments[0].process.version;

const work = (taskType, taskHandler) =>
  zeebe.createWorker({ taskType, taskHandler, longPoll: 2000, timeout: 10000 });

work("completes", (job) => {
  seen.completed.push(job.variables.amount);
  return job.complete({ doubled: job.variables.amount * 2 });
});
work("fails", (job) => {
  if (seen.failed++ === 0) {
    return job.fail({ errorMessage: "not yet", retries: job.retries - 1, retryBackOff: 100 });
  }
  return job.complete({ retriesLeft: job.retries });
});
work("throws", (job) => {
  seen.thrown++;
  return job.error({ errorCode: "E1", errorMessage: "as planned", variables: { why: "E1" } });
});
await zeebe.streamJobs({
  type: "streams",
  worker: "sdk-stream",
  timeout: 10000,
  taskHandler: (job) => {
    seen.streamed++;
    return job.complete({ header: job.customHeaders.greeting });
  },
});

const result = await zeebe.createProcessInstanceWithResult({
  bpmnProcessId: "foreign",
  variables: { amount: 21 },
  requestTimeout: 20000,
});
seen.result = result.variables;

const instance = await zeebe.createProcessInstance({ bpmnProcessId: "waits", variables: {} });
await zeebe.setVariables({
  elementInstanceKey: instance.processInstanceKey,
  variables: { set: true },
  local: false,
});
await zeebe.cancelProcessInstance(instance.processInstanceKey);
seen.refusals = [];
for (const call of [
  () => zeebe.cancelProcessInstance(instance.processInstanceKey),
  () => zeebe.createProcessInstance({ bpmnProcessId: "unknown", variables: {} }),
  () => zeebe.completeJob({ jobKey: "5", variables: {} }),
]) {
  try {
    await call();
    seen.refusals.push("none");
  } catch (error) {
    seen.refusals.push(error.code);
  }
}
await zeebe.close(2000);
console.log(JSON.stringify(seen));
process.exit(0);
