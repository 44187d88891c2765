// What every story starts from: the running stack, an API client whose answers are held to the
// contract, the simulators' control, and fresh workspaces.

import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { Api, Browser } from '../../../deploy/local/demo/api.mjs';
import { connect } from '../../../deploy/local/demo/connect.mjs';
import { Control } from '../../../deploy/local/demo/control.mjs';
import { Contract } from './contract.mjs';

export const directory = process.env.SLUICE_STACK;
const read = (name) => readFileSync(join(directory, name), 'utf8').trim();

export const base = read('ready');
export const simulators = JSON.parse(read('simulators/simulators.json'));
export const control = new Control(simulators.control_url);
export const contract = new Contract(new URL('../../../openapi/openapi.yaml', import.meta.url));

/** Where the words of every answer are kept, for the story that looks for secrets in them. */
export const repliesFile = join(directory, 'replies.jsonl');

/** Holds an answer to the contract and keeps its words. */
export function observe(reply) {
  contract.observe(reply);
  if (!/json|text/.test(reply.type)) return;
  const { method, path, status, bytes } = reply;
  appendFileSync(repliesFile, `${JSON.stringify({ method, path, status, text: bytes.toString('utf8') })}\n`);
}

export const anybody = new Api({ base, observe });

after(() => {
  const line = { seen: [...contract.seen], violations: contract.violations };
  appendFileSync(join(directory, 'contract.jsonl'), `${JSON.stringify(line)}\n`);
  assert.deepEqual(contract.violations, [], 'answers broke the contract');
});

let operatorSession;
export async function operator() {
  operatorSession ??= await anybody.expect(200, 'POST', '/v1/auth/login', {
    body: { email: 'operator@example.com', password: read('keys/operator-password') },
    key: null,
  });
  return anybody.as(operatorSession.access_token);
}

let counter = 0;
/** A new workspace with an API key of role admin. `person` is its owner, signed in. */
export async function workspace({ name = `Story ${process.pid}-${(counter += 1)}`, language = 'en' } = {}) {
  const person = await operator();
  const made = await person.expect(201, 'POST', '/v1/workspaces', {
    body: { name, region: 'local', language },
  });
  const at = `/v1/workspaces/${made.id}`;
  const key = await person.expect(201, 'POST', `${at}/api-keys`, { body: { name: 'story', role: 'admin' } });
  const api = anybody.as(key.key);
  const quietly = () => {};
  return {
    ...made, at, person, api, key,
    connect: (provider, role) => connect({ api, at, browser: new Browser(), tell: quietly, provider, role }),
  };
}

/** An API key of the given role in a workspace. */
export async function keyOf(space, role) {
  const key = await space.person.expect(201, 'POST', `${space.at}/api-keys`, { body: { name: role, role } });
  return anybody.as(key.key);
}
