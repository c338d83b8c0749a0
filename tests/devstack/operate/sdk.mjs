// Camunda's own Node client of the Operate API, used as its documentation shows; prints what it got.
//
// node sdk.mjs OPERATE_URL TOKEN_URL STUCK_INSTANCE ENDED_INSTANCE
import { Camunda8 } from "@camunda8/sdk";

const [operateUrl, tokenUrl, stuck, ended] = process.argv.slice(2);
const operate = new Camunda8({
  CAMUNDA_AUTH_STRATEGY: "OAUTH",
  CAMUNDA_OAUTH_URL: tokenUrl,
  CAMUNDA_OPERATE_BASE_URL: operateUrl,
  CAMUNDA_TOKEN_DISK_CACHE_DISABLE: true,
  ZEEBE_CLIENT_ID: "operate",
  ZEEBE_CLIENT_SECRET: "secret",
}).getOperateApiClient();

const keys = (answer) => answer.items.map((item) => item.key);
const sort = [{ field: "startDate", order: "ASC" }];
const first = await operate.searchProcessInstances({ size: 1, sort });
const second = await operate.searchProcessInstances({
  size: 1,
  sort,
  // Its numbers without loss are objects that it sends back as objects; as text they are taken.
  searchAfter: first.sortValues.map(String),
});
const instance = await operate.getProcessInstance(stuck);
const [incident] = (await operate.searchIncidents({ filter: { processInstanceKey: stuck } })).items;
const nodes = await operate.searchFlownodeInstances({ filter: { processInstanceKey: stuck } });
const unknown = await operate.getProcessInstance("5").catch((error) => error.statusCode);

console.log(
  JSON.stringify({
    pages: [keys(first), keys(second)],
    total: first.total,
    state: [instance.state, instance.incident],
    definition: await operate.getProcessDefinition(instance.processDefinitionKey),
    xml: (await operate.getProcessDefinitionXML(instance.processDefinitionKey)).length,
    variables: await operate.getJSONVariablesforProcess(stuck),
    incident: [incident.type, incident.message, (await operate.getIncident(incident.key)).key],
    nodes: nodes.items.map((node) => [node.flowNodeId, node.flowNodeName, node.state]),
    statistics: await operate.getProcessInstanceStatistics(stuck),
    flows: await operate.getProcessInstanceSequenceFlows(stuck),
    decisions: keys(await operate.searchDecisionDefinitions({})),
    unknown,
    refused: (await operate.deleteProcessInstance(stuck)).type,
    deleted: (await operate.deleteProcessInstance(ended)).deleted,
  }),
);
