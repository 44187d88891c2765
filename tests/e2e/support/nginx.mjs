// An nginx as nobody in particular, on a free port and in a directory of its own, that runs
// deploy/nginx/sluice.conf. Only what an installation changes is changed: ports, the server's name, the
// certificate, the upstream and where the log goes.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const NAME = 'sluice.test';
const CONFIGURATION = new URL('../../../deploy/nginx/sluice.conf', import.meta.url);
const NOBODY = 65534;
const START_S = 10;

export const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** Replaces each of these in the text; one that is not there is a mistake of the test. */
function changed(text, changes) {
  return changes.reduce((made, [from, to]) => {
    assert.ok(made.includes(from), `deploy/nginx/sluice.conf has no "${from}"`);
    return made.replaceAll(from, to);
  }, text);
}

function certificate(dir) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-days', '2', '-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`,
    '-keyout', join(dir, 'privkey.pem'), '-out', join(dir, 'fullchain.pem')], { stdio: 'ignore' });
  return readFileSync(join(dir, 'fullchain.pem'), 'utf8');
}

const frame = (dir) => `pid ${dir}/pid;
error_log stderr notice;
worker_processes 1;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path ${dir}/body;
    proxy_temp_path ${dir}/proxy;
    fastcgi_temp_path ${dir}/fastcgi;
    uwsgi_temp_path ${dir}/uwsgi;
    scgi_temp_path ${dir}/scgi;
    include ${dir}/sluice.conf;
}
`;

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

function configure(dir, port, upstream) {
  const text = changed(readFileSync(CONFIGURATION, 'utf8'), [
    ['listen 443 ', `listen 127.0.0.1:${port} `],
    ['listen [::]:443 ssl http2 default_server;', ''],
    ['listen [::]:443 ssl http2;', ''],
    ['server_name sluice.example.com;', `server_name ${NAME};`],
    ['server 127.0.0.1:8080 ', `server ${upstream} `],
    ['/etc/sluice/tls/', `${dir}/`],
    ['/var/log/nginx/sluice.log', `${dir}/access.log`],
  ]);
  writeFileSync(join(dir, 'sluice.conf'), text);
  writeFileSync(join(dir, 'nginx.conf'), frame(dir));
}

/** @param {string} upstream host:port @returns an nginx that listens; `stop` ends it and cleans up */
export async function startNginx(upstream) {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-nginx-'));
  const port = await freePort();
  const ca = certificate(dir);
  configure(dir, port, upstream);
  const root = process.getuid() === 0;
  if (root) [dir, join(dir, 'privkey.pem')].forEach((path) => chownSync(path, NOBODY, NOBODY));
  const child = spawn('/usr/sbin/nginx', ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr', '-g', 'daemon off;'], {
    stdio: ['ignore', 'ignore', 'pipe'], ...(root ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  let said = '';
  child.stderr.on('data', (chunk) => { said += chunk; });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  const stop = async () => {
    child.kill('SIGQUIT');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  const end = Date.now() + START_S * 1000;
  while (!await answers(port)) {
    if (child.exitCode !== null || Date.now() > end) {
      await stop();
      throw new Error(`nginx did not start:\n${said}`);
    }
    await sleep(50);
  }
  const access = () => readFileSync(join(dir, 'access.log'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return { port, ca, pid: child.pid, access, said: () => said, stop };
}
