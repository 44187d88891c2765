import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import test from 'node:test';
import { createClock } from '../lib/clock.mjs';
import { createFaults } from '../lib/faults.mjs';
import { britishVat, frenchIban, frenchVat, germanVat, siren } from '../lib/identifiers.mjs';
import { decimal, fromEuroCents, settle } from '../lib/money.mjs';
import { createRandom } from '../lib/random.mjs';
import { createSecretRegister } from '../lib/secrets.mjs';
import { ensureAuthority } from '../lib/tls.mjs';

test('the clock runs on from where it is set', () => {
  const clock = createClock();
  clock.set(Date.UTC(2030, 0, 1));
  assert.ok(clock.now() - Date.UTC(2030, 0, 1) < 1000);
  clock.advance(3_600_000);
  assert.equal(clock.nowS(), Date.UTC(2030, 0, 1, 1) / 1000);
  assert.throws(() => clock.set('tomorrow'), TypeError);
});

test('a seed gives the same values, a fork does not advance its parent', () => {
  const draw = (random) => [random.int(1, 1000), random.base62(12), random.uuid()];
  assert.deepEqual(draw(createRandom(5)), draw(createRandom(5)));
  assert.notDeepEqual(draw(createRandom(5)), draw(createRandom(6)));
  const forked = createRandom(5);
  forked.fork('other').base62(50);
  assert.deepEqual(draw(forked), draw(createRandom(5)));
  const seen = new Set(Array.from({ length: 500 }, () => forked.int(1, 6)));
  assert.deepEqual([...seen].sort(), [1, 2, 3, 4, 5, 6]);
});

test('identifiers carry true check digits', () => {
  const random = createRandom(3);
  for (let i = 0; i < 50; i += 1) {
    assert.ok(luhn(siren(random)));
    assert.equal(ibanRemainder(frenchIban(random)), 1n);
    assert.match(germanVat(random), /^DE[1-9]\d{8}$/);
    assert.match(britishVat(random), /^GB\d{9}$/);
  }
  assert.equal(frenchVat('404833048'), 'FR83404833048');
});

function luhn(digits) {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = index % 2 ? Number(digit) * 2 : Number(digit);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

function ibanRemainder(iban) {
  const moved = iban.slice(4) + iban.slice(0, 4);
  return BigInt(moved.replace(/[A-Z]/g, (letter) => letter.charCodeAt(0) - 55)) % 97n;
}

test('money keeps the minor units of its currency', () => {
  assert.equal(decimal(123450, 'eur'), '1234.50');
  assert.equal(decimal(5, 'usd'), '0.05');
  assert.equal(decimal(-7, 'kwd'), '-0.007');
  assert.equal(decimal(500, 'jpy'), '500');
  assert.equal(fromEuroCents(1000, 'kwd') % 10, 0);
  assert.deepEqual(settle(1000, 'eur'), { cents: 1000, rate: null });
  assert.equal(settle(10_000, 'jpy').cents, 6000);
  assert.throws(() => decimal(1, 'xxx'), RangeError);
});

test('the register keeps each secret once and refuses what is none', () => {
  const secrets = createSecretRegister();
  secrets.note('token', 'abc');
  secrets.note('token', 'abc');
  assert.deepEqual(secrets.all(), [{ kind: 'token', value: 'abc' }]);
  assert.throws(() => secrets.note('token', undefined), TypeError);
});

test('the authority is made once and its certificate names the loopback', () => {
  const dir = mkdtempSync(join(tmpdir(), 'authority-'));
  const first = ensureAuthority(dir);
  const certificate = new X509Certificate(first.options.cert);
  const authority = new X509Certificate(readFileSync(first.caFile));
  assert.ok(certificate.checkHost('localhost'));
  assert.ok(certificate.checkIP('127.0.0.1'));
  assert.ok(certificate.checkIssued(authority));
  assert.deepEqual(ensureAuthority(dir).options.cert, first.options.cert);
  rmSync(dir, { recursive: true });
});

test('a fault rule passes some, hits some and is spent', () => {
  const faults = createFaults();
  faults.add({ provider: 'qonto', match: { path: '/v2/*' }, kind: '429', after: 1, times: 2 });
  const hit = (path) => faults.take('qonto', { path, method: 'GET' })?.kind ?? null;
  assert.equal(hit('/oauth2/token'), null);
  assert.deepEqual([hit('/v2/a'), hit('/v2/a'), hit('/v2/a'), hit('/v2/a')],
    [null, '429', '429', null]);
  assert.deepEqual(faults.list(), []);
});

test('a rule of another provider or another operation does not hit', () => {
  const faults = createFaults();
  const match = { tool: 'stripe_api_read', operation: 'GetCharges' };
  const { id } = faults.add({ provider: 'stripe', match, kind: 'cut', times: 0 });
  assert.equal(faults.take('qonto', { path: '/', ...match }), null);
  assert.equal(faults.take('stripe', { path: '/', tool: 'stripe_api_read' }), null);
  assert.equal(faults.take('stripe', { path: '/', ...match }).kind, 'cut');
  assert.equal(faults.take('stripe', { path: '/', ...match }).kind, 'cut');
  assert.equal(faults.clear(id), 1);
});

test('a wrong rule is refused with what is wrong about it', () => {
  const faults = createFaults();
  const refused = (rule, words) => assert.throws(() => faults.add(rule), words);
  refused({ provider: 'stripe', kind: 'explode' }, /kind must be one of/);
  refused({ provider: 'stripe', kind: '429', match: { host: 'x' } }, /unknown match "host"/);
  refused({ provider: 'stripe', kind: '429', often: 3 }, /unknown "often"/);
  refused({ provider: 'stripe', kind: '429', times: -1 }, /times/);
  refused({ kind: '429' }, /provider/);
  refused({ provider: 'stripe', kind: 'huge', params: { mib: 5000 } }, /mib/);
});
