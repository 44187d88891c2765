// The routes under /control/stripe: switches, records that appear or change now, the truth, and
// what happens to tokens and sessions behind the back of the client.

import express from 'express';
import { SWITCHES } from './switches.mjs';

/**
 * @param {object} parts
 * @param {object} parts.world createWorld()
 * @param {import('../lib/clock.mjs').Clock} parts.clock
 * @param {object} parts.switches createSwitches()
 * @param {object} parts.store createTokenStore()
 * @param {object} parts.sessions createSessions()
 */
export function createStripeControl({ world, clock, switches, store, sessions }) {
  const router = express.Router();
  const factoryOf = (fields) => {
    const id = fields.account ?? world.live.id;
    const factory = world.factories.get(id);
    if (!factory) throw new TypeError(`no account "${id}"`);
    return factory;
  };
  /** One object or a list; all or nothing is not promised: the first wrong one ends it. */
  const inject = (make) => (req, res) => {
    const many = Array.isArray(req.body);
    const made = (many ? req.body : [req.body ?? {}]).map((given) => {
      const { account, ...fields } = given;
      return make(factoryOf({ account }), { created: clock.nowS(), ...fields });
    });
    res.status(201).json(many ? made : made[0]);
  };

  router.get('/switches', (req, res) => {
    const meaning = Object.fromEntries(
      Object.entries(SWITCHES).map(([name, { what }]) => [name, what]));
    res.json({ switches: switches.values, meaning });
  });
  router.post('/switches', (req, res) => res.json({ switches: switches.set(req.body) }));

  router.post('/customers', inject((factory, fields) => factory.customer(fields)));
  router.post('/charges', inject(injectCharge));
  router.post('/refunds', inject((factory, fields) => factory.refund(fields)));
  router.post('/disputes', inject((factory, fields) => factory.dispute(fields)));
  router.get('/objects/:id', (req, res) => sendObject(world, req, res));
  router.post('/objects/:id', (req, res) => {
    const factory = factoryHolding(world, req.params.id);
    if (!factory) return res.status(404).json({ error: 'no such object' });
    return res.json(factory.patch(req.params.id, req.body ?? {}, clock.nowS()));
  });
  router.get('/truth', (req, res) => res.json({ truth: world.truth() }));

  router.post('/notify', (req, res) => {
    const { tools, uri } = req.body ?? {};
    if (tools !== true && typeof uri !== 'string') throw new TypeError('tools: true or a uri');
    sessions.notify({ tools, uri });
    res.json({ streams: sessions.streams() });
  });

  const actions = {
    expire_access_tokens: () => store.expireAccessTokens(),
    kill_grants: () => store.killGrants(),
    revoke_all: () => store.revokeAll(),
    drop_clients: () => store.dropClients(),
    drop_sessions: () => sessions.drop(),
    cut_streams: () => sessions.cutStreams(),
  };
  for (const [name, act] of Object.entries(actions)) {
    router.post(`/${name}`, async (req, res) => {
      await act();
      res.json({ done: name, tokens: store.counts(), sessions: sessions.count() });
    });
  }
  return router;
}

/** A charge may bring its customer: {customer: {name, email, address, taxIds}}. */
function injectCharge(factory, { customer, ...fields }) {
  const isNew = typeof customer === 'object' && customer !== null;
  const payer = isNew ? factory.customer({ created: fields.created, ...customer }).id : customer;
  return factory.charge({ ...fields, customer: payer });
}

function sendObject(world, req, res) {
  const found = world.accounts.map((account) => account.get(req.params.id)).find(Boolean);
  return found ? res.json(found) : res.status(404).json({ error: 'no such object' });
}

function factoryHolding(world, id) {
  const account = world.accounts.find((it) => it.get(id));
  return account && world.factories.get(account.id);
}
