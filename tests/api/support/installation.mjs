// A Sluice of a story's own, beside the one that tests/api/run started: databases of its own in the
// same cluster, `serve` and `work` as processes that can be killed, and the same simulators.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { until } from '../../../deploy/local/demo/api.mjs';
import { directory, Site } from './stack.mjs';

const program = process.env.SLUICE_PROGRAM;

/** Lines of NAME='value', as deploy/local/postgres leaves them. */
function readEnvironment(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1).replace(/^'|'$/g, '')];
    }),
  );
}

const cluster = readEnvironment(join(directory, 'postgres/env'));

/** Runs SQL as the superuser over the private socket. @returns {string} rows as lines, bare */
export function psql(database, sql) {
  return execFileSync(
    'psql',
    [
      '-X',
      '-q',
      '-At',
      '-v',
      'ON_ERROR_STOP=1',
      '-h',
      cluster.PGHOST,
      '-p',
      cluster.PGPORT,
      '-U',
      'postgres',
      '-d',
      database,
      '-c',
      sql,
    ],
    { encoding: 'utf8' },
  );
}

/** Everything in a database, as text. */
export function dump(database) {
  return execFileSync(
    'pg_dump',
    ['-h', cluster.PGHOST, '-p', cluster.PGPORT, '-U', 'postgres', '--inserts', database],
    { maxBuffer: 1 << 30 },
  );
}

/** Links for browsers name the port, so it is chosen before the start. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** The environment that makes a process fail as planned and count what it reached. */
const planned = ({ fault, report }) => ({
  ...(fault && { SLUICE_FAULT: fault }),
  ...(report && { SLUICE_FAULT_REPORT: report }),
});

export class Installation {
  #children = new Set();

  /** @param {string} name of its folder and databases  @param {{region?: string}} more */
  constructor(name, { region = name } = {}) {
    this.name = name;
    this.region = region;
    this.dir = join(directory, 'installations', name);
    this.config = join(this.dir, 'sluice.yaml');
  }

  /**
   * Makes databases and configuration, migrates (with a fault plan, if wanted), and creates the operator.
   * `settings` may change the configuration.
   */
  async prepare({ settings = () => {}, ...plan } = {}) {
    mkdirSync(this.dir, { recursive: true });
    for (const database of new Set([this.name, this.region])) {
      psql('postgres', `CREATE DATABASE "${database}" OWNER sluice_owner`);
      psql(
        'postgres',
        `REVOKE ALL ON DATABASE "${database}" FROM PUBLIC;
        GRANT CONNECT ON DATABASE "${database}" TO sluice_app, sluice_queue`,
      );
    }
    const config = parse(readFileSync(join(directory, 'sluice.yaml'), 'utf8'));
    const moved = (url, database) => url.replace(/dbname=\S+/, `dbname=${database}`);
    for (const key of ['database_url', 'owner_url'])
      config.directory[key] = moved(config.directory[key], this.name);
    for (const key of ['database_url', 'owner_url', 'queue_url'])
      config.region[key] = moved(config.region[key], this.region);
    config.listen.port = await freePort();
    settings(config);
    writeFileSync(this.config, stringify(config), { mode: 0o600 });
    this.#run(['migrate'], plan);
    this.run(
      'operator',
      'create',
      '--email',
      'operator@example.com',
      '--name',
      'Operator',
      '--password-file',
      join(directory, 'keys/operator-password'),
    );
  }

  /** A verb that ends by itself; its output. */
  run(...words) {
    return this.#run(words, {});
  }

  #run(words, plan) {
    return execFileSync(program, [...words, '--config', this.config], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...planned(plan) },
    });
  }

  /** Starts a verb that stays. @returns {{child, ended: Promise<{code, signal}>}} */
  start(verb, { environment = {}, more = [] } = {}) {
    const log = openSync(join(this.dir, `${verb}.log`), 'a');
    const child = spawn(program, [verb, '--config', this.config, ...more], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...environment },
    });
    closeSync(log);
    this.#children.add(child);
    const ended = once(child, 'exit').then(([code, signal]) => {
      this.#children.delete(child);
      return { code, signal };
    });
    return { child, ended };
  }

  /** `sluice serve`, ready; `plan` as for work. Its process is `serving`. @returns {Promise<Site>} */
  async serve(plan = {}) {
    const ready = join(this.dir, 'ready');
    rmSync(ready, { force: true });
    const environment = planned(plan);
    this.serving = this.start('serve', { environment, more: ['--ready-file', ready] });
    const { child } = this.serving;
    await until(
      'serve was ready',
      () => {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`serve ended: ${this.log('serve').slice(-2000)}`);
        return existsSync(ready);
      },
      { seconds: 30 },
    );
    this.site = new Site(readFileSync(ready, 'utf8').trim());
    return this.site;
  }

  /** `sluice work`; `fault` as SLUICE_FAULT takes it. */
  work(plan = {}) {
    return this.start('work', { environment: planned(plan) });
  }

  log(verb) {
    return readFileSync(join(this.dir, `${verb}.log`), 'utf8');
  }

  /** As if time had passed for workers that died: what they held is anybody's, renewals too. */
  expireLeases() {
    psql(this.region, "UPDATE region.worker SET lease_until = now() - interval '1 second'");
  }

  /** The same for calls that were running in a server that died. */
  expireCalls() {
    const sql = (table) => `UPDATE ${table} SET locked_until = now() WHERE NOT finished`;
    psql(this.name, sql('directory.idempotency'));
    psql(this.region, sql('region.idempotency'));
  }

  /** The same for tokens that somebody set out to renew. */
  expireRefreshes() {
    const past = "now() - interval '1 second'";
    const sql = `UPDATE region.connection SET refreshing_until = ${past} WHERE refreshing_until > now()`;
    psql(this.region, sql);
  }

  async stop() {
    const children = [...this.#children];
    for (const child of children) child.kill('SIGTERM');
    await Promise.all(
      children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')),
    );
  }
}
