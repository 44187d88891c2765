import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.mjs', import.meta.url));

test('the program reports where it listens and stops within a second', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'simulators-'));
  const child = spawn(process.execPath, [MAIN, '--dir', dir, '--charges', '12'],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  const file = join(dir, 'simulators.json');
  for (let i = 0; i < 300 && !existsSync(file); i += 1) await sleep(50);
  const report = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(report.pid, child.pid);
  assert.equal(statSync(file).mode & 0o077, 0, 'others cannot read it');
  assert.deepEqual(Object.keys(report), ['control_url', 'stripe', 'qonto', 'ca_file', 'pid']);
  for (const name of ['api_url', 'oauth_url', 'client_id', 'client_secret', 'staging_token']) {
    assert.ok(report.qonto[name], name);
  }
  const state = await (await fetch(`${report.control_url}/control/state`)).json();
  assert.equal(state.providers.stripe.mcp_url, report.stripe.mcp_url);

  const stopped = Date.now();
  const code = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  assert.equal(await code, 0);
  assert.ok(Date.now() - stopped < 1000);
  rmSync(dir, { recursive: true });
});

test('a wrong argument is said and ends the program', async () => {
  const child = spawn(process.execPath, [MAIN, '--dir', tmpdir(), '--seed', 'x'],
    { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk) => (words += chunk));
  const code = await new Promise((resolve) => child.once('exit', resolve));
  assert.equal(code, 2);
  assert.equal(words, '--seed must be a whole number\n');
});
