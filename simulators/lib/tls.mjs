// A certificate authority of our own and one server certificate for the loopback names, made once
// per directory with the openssl command. Clients trust `caFile`.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DAYS = '3650';
const NAMES = 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1';

/**
 * @param {string} dir kept between runs; private to the owner
 * @returns {{caFile: string, certFile: string, keyFile: string, options: object}} `options` is
 *   for https.createServer: TLS 1.3 only
 */
export function ensureAuthority(dir) {
  const made = join(dir, 'tls');
  if (!existsSync(join(made, 'server.pem'))) make(made);
  const files = {
    caFile: join(made, 'ca.pem'),
    certFile: join(made, 'server.pem'),
    keyFile: join(made, 'server.key'),
  };
  return {
    ...files,
    options: {
      cert: readFileSync(files.certFile),
      key: readFileSync(files.keyFile),
      minVersion: 'TLSv1.3',
    },
  };
}

/** Works in a directory beside and renames it, so that a half-made authority is never used. */
function make(target) {
  const dir = `${target}.${process.pid}`;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  writeFileSync(join(dir, 'server.ext'), [
    NAMES, 'basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=serverAuth', '',
  ].join('\n'));
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', DAYS,
    '-subj', '/CN=Sluice simulators', '-addext', 'keyUsage=critical,keyCertSign,cRLSign');
  openssl('req', '-new', ...key, '-keyout', 'server.key', '-out', 'server.csr',
    '-subj', '/CN=localhost');
  openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key',
    '-CAcreateserial', '-out', 'server.pem', '-days', DAYS, '-extfile', 'server.ext');
  rmSync(target, { recursive: true, force: true });
  renameSync(dir, target);
}
