// Walks a demonstration workspace through the main job, over the same API that everybody uses, and
// tells what happens while it happens. Leaves DIR/demo.json for whoever wants to go on by hand.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Api, Browser } from './api.mjs';
import { Control } from './control.mjs';
import { connect, renew } from './connect.mjs';

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    scenario: { type: 'string', default: 'stripe-to-qonto' },
    once: { type: 'boolean', default: false },
  },
});

const started = Date.now();
const tell = (text) =>
  process.stderr.write(`    [${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s] ${text}\n`);

async function readJson(name) {
  return JSON.parse(await readFile(join(options.dir, name), 'utf8'));
}

async function writeJson(name, value) {
  const path = join(options.dir, name);
  await writeFile(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** The workspace of an earlier walk, when its key still works. */
async function earlierDemo(base) {
  try {
    const demo = await readJson('demo.json');
    const api = new Api({ base, bearer: demo.api_key });
    const { status } = await api.call('GET', `/v1/workspaces/${demo.workspace_id}`);
    return status === 200 ? { ...demo, base_url: base } : null;
  } catch {
    return null;
  }
}

async function newDemo(base) {
  const password = (await readFile(join(options.dir, 'keys/operator-password'), 'utf8')).trim();
  const session = await new Api({ base }).expect(200, 'POST', '/v1/auth/login', {
    body: { email: 'operator@example.com', password },
    key: null,
  });
  const operator = new Api({ base, bearer: session.access_token });
  const workspace = await operator.expect(201, 'POST', '/v1/workspaces', {
    body: { name: 'Atelier Lumen', region: 'local', time_zone: 'Europe/Paris', language: 'fr' },
  });
  const key = await operator.expect(201, 'POST', `/v1/workspaces/${workspace.id}/api-keys`, {
    body: { name: 'demonstration', role: 'admin' },
  });
  tell(`workspace "${workspace.name}" in region ${workspace.region}, with an API key of role admin`);
  return { base_url: base, workspace_id: workspace.id, api_key: key.key };
}

async function main() {
  const base = (await readFile(join(options.dir, 'ready'), 'utf8')).trim();
  const simulators = await readJson('simulators/simulators.json');
  const scenario = await import(`./scenarios/${options.scenario}.mjs`);
  const earlier = await earlierDemo(base);
  const demo = earlier ?? (await newDemo(base));
  demo.control_url = simulators.control_url;
  await writeJson('demo.json', demo);

  const api = new Api({ base, bearer: demo.api_key });
  const context = {
    api,
    at: `/v1/workspaces/${demo.workspace_id}`,
    control: new Control(simulators.control_url),
    tell,
    connect: (provider, role) =>
      connect({ api, at: `/v1/workspaces/${demo.workspace_id}`, browser: new Browser(), tell, provider, role }),
    renew: (id) => renew({ api, at: `/v1/workspaces/${demo.workspace_id}`, browser: new Browser(), id }),
    remember: (more) => writeJson('demo.json', Object.assign(demo, more)),
  };
  if (earlier && !options.once) {
    tell('the demonstration workspace is there already; its integration goes on');
    await scenario.show(context, demo);
    return;
  }
  const { summary, wrong } = await scenario.run(context);
  for (const sentence of wrong) process.stderr.write(`wrong: ${sentence}\n`);
  if (options.once) process.stdout.write(`${JSON.stringify({ scenario: options.scenario, ...summary })}\n`);
  if (wrong.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  process.stderr.write(`the walk stopped: ${error.stack}\n`);
  process.exitCode = 1;
});
