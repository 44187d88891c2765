// What every story starts from: the running stack, an API client whose answers are held to the
// contract, the simulators' control, and fresh workspaces.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { join as pathOf } from 'node:path';
import { after } from 'node:test';
import { Api, Browser } from '../../../deploy/local/demo/api.mjs';
import { connect } from '../../../deploy/local/demo/connect.mjs';
import { Control } from '../../../deploy/local/demo/control.mjs';
import { Contract } from './contract.mjs';

export const directory = process.env.SLUICE_STACK;
const read = (name) => readFileSync(pathOf(directory, name), 'utf8').trim();

export const base = read('ready');
const password = read('keys/operator-password');
export const simulators = JSON.parse(read('simulators/simulators.json'));
export const control = new Control(simulators.control_url);
export const contract = new Contract(new URL('../../../openapi/openapi.yaml', import.meta.url));

/** Where the words of every answer are kept, for the story that looks for secrets in them. */
export const repliesFile = pathOf(directory, 'replies.jsonl');

/** Holds an answer to the contract and keeps its words. */
export function observe(reply) {
  contract.observe(reply);
  if (!/json|text/.test(reply.type)) return;
  const { method, path, status, bytes } = reply;
  appendFileSync(
    repliesFile,
    `${JSON.stringify({ method, path, status, text: bytes.toString('utf8') })}\n`,
  );
}

/** A browser whose answers from the server at `url` are observed, and those of others are not. */
const browserAt = (url) =>
  new Browser({ observe: (reply) => reply.origin === new URL(url).origin && observe(reply) });

/** A running Sluice: who calls it, and the workspaces that a story makes in it. */
export class Site {
  #session;

  #counter = 0;

  constructor(url) {
    this.base = url;
    this.anybody = new Api({ base: url, observe });
  }

  async operator() {
    this.#session ??= await this.anybody.expect(200, 'POST', '/v1/auth/login', {
      body: { email: 'operator@example.com', password },
      key: null,
    });
    return this.anybody.as(this.#session.access_token);
  }

  /** A new workspace with an API key of role admin. `person` is its owner, signed in. */
  async workspace({ name, language = 'en', person } = {}) {
    const owner = person ?? (await this.operator());
    this.#counter += 1;
    const made = await owner.expect(201, 'POST', '/v1/workspaces', {
      body: { name: name ?? `Story ${process.pid}-${this.#counter}`, region: 'local', language },
    });
    const at = `/v1/workspaces/${made.id}`;
    const key = await owner.expect(201, 'POST', `${at}/api-keys`, {
      body: { name: 'story', role: 'admin' },
    });
    const api = this.anybody.as(key.key);
    return {
      ...made,
      at,
      person: owner,
      api,
      key,
      connect: (provider, role) =>
        connect({ api, at, browser: browserAt(this.base), tell: () => {}, provider, role }),
    };
  }

  /** Somebody new, invited into a workspace with this role, and signed in. */
  async join(space, role, email = `${role}-${randomUUID().slice(0, 8)}@example.com`) {
    const { token } = await space.person.expect(201, 'POST', `${space.at}/invitations`, {
      body: { email, role },
    });
    const { user_id: id } = await this.anybody.expect(201, 'POST', '/v1/invitations/accept', {
      body: { token, name: `A ${role}`, password: PHRASE },
      key: null,
    });
    const session = await this.anybody.expect(200, 'POST', '/v1/auth/login', {
      body: { email, password: PHRASE },
      key: null,
    });
    return { api: this.anybody.as(session.access_token), id, email, token };
  }
}

/** The password of everybody who joins. */
export const PHRASE = 'nine quiet rivers flow east';

/** The Sluice that tests/api/run started. */
export const site = new Site(base);
export const { anybody } = site;
export const operator = () => site.operator();
export const workspace = (options) => site.workspace(options);
export const join = (space, role, email) => site.join(space, role, email);

/** An API key of the given role in a workspace. */
export async function keyOf(space, role) {
  const key = await space.person.expect(201, 'POST', `${space.at}/api-keys`, {
    body: { name: role, role },
  });
  return space.api.as(key.key);
}

after(() => {
  const line = { seen: [...contract.seen], violations: contract.violations };
  appendFileSync(pathOf(directory, 'contract.jsonl'), `${JSON.stringify(line)}\n`);
  assert.deepEqual(contract.violations, [], 'answers broke the contract');
});
