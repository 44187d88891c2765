// Writes DIR/sluice.yaml for a local stack: the private PostgreSQL, the simulated providers, keys from
// DIR/keys. Usage: configure.mjs --dir DIR --simulators FILE --postgres FILE --port N --root ROOT

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    dir: { type: 'string' }, simulators: { type: 'string' }, postgres: { type: 'string' },
    port: { type: 'string' }, root: { type: 'string' },
  },
});

const simulators = JSON.parse(readFileSync(values.simulators, 'utf8'));
const postgres = Object.fromEntries(
  readFileSync(values.postgres, 'utf8').split('\n').filter(Boolean).map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1).replace(/^'|'$/g, '')];
  }),
);

const hosts = [simulators.stripe.mcp_url, simulators.stripe.issuer, simulators.qonto.api_url, simulators.qonto.oauth_url]
  .map((url) => new URL(url).host);
const quoted = (text) => JSON.stringify(String(text));

const yaml = `# Made by ./run for this machine. Production refuses egress.allow.
log:
  level: info
listen:
  address: 127.0.0.1
  port: ${values.port}
directory:
  database_url: ${quoted(postgres.SLUICE_PG_APP)}
  owner_url: ${quoted(postgres.SLUICE_PG_OWNER)}
region:
  name: local
  title: This machine
  hosted_in: this machine
  database_url: ${quoted(postgres.SLUICE_PG_APP)}
  queue_url: ${quoted(postgres.SLUICE_PG_QUEUE)}
  owner_url: ${quoted(postgres.SLUICE_PG_OWNER)}
  key_file: ${quoted(join(values.dir, 'keys/region'))}
auth:
  jwt_key_file: ${quoted(join(values.dir, 'keys/token'))}
egress:
  allow: ${quoted([...new Set(hosts)].join(','))}
  ca_file: ${quoted(simulators.ca_file)}
stripe:
  mcp_url: ${quoted(simulators.stripe.mcp_url)}
qonto:
  api_url: ${quoted(simulators.qonto.api_url)}
  oauth_url: ${quoted(simulators.qonto.oauth_url)}
  client_id: ${quoted(simulators.qonto.client_id)}
  client_secret: ${quoted(simulators.qonto.client_secret)}
  staging_token: ${quoted(simulators.qonto.staging_token)}
work:
  attempt_s: 10
  window_s: 2
  threads: 4
migrations:
  directory: ${quoted(join(values.root, 'migrations'))}
`;
writeFileSync(join(values.dir, 'sluice.yaml'), yaml, { mode: 0o600 });
