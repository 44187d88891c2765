// One consistent small world, from a seed: what happened in a Stripe account, what its owner's
// Qonto account already knows of it, and the truth about which belongs to which.
//
// The shapes are documented in simulators/README.md.

import { createAccount } from '../stripe/account.mjs';
import { createFactory } from '../stripe/factory.mjs';
import { fromEuroCents } from './money.mjs';
import { partySource } from './parties.mjs';
import { createQontoSeed } from './qonto-seed.mjs';
import { createRandom } from './random.mjs';

const DAY_S = 86_400;
/** Nothing is younger than this at the start: a window of history has an end. */
const QUIET_S = 3600;
export const CHARGES_MAX = 20_000;

/**
 * Shares of the charges. `role` says how much is known about the payer: regular (a customer with
 * everything, who pays often), partial (a name or an e-mail, seen once), nobody (nothing at all).
 */
const ROLES = [['partial', 0.15], ['nobody', 0.07]];
const STATES = [['pending', 0.05], ['failed', 0.06], ['uncaptured', 0.05]];
const CURRENCIES = [['usd', 0.08], ['jpy', 0.04], ['kwd', 0.03]];
/** Of the charges that post: how the ledger already knows them. */
const LINKS = [['clear', 0.12], ['unreferenced', 0.05], ['twins', 0.04]];
const LOOKALIKES = [['same_amount', 0.07], ['same_party', 0.07], ['earlier_equal', 0.05]];

/**
 * @param {object} options
 * @param {number} [options.seed]
 * @param {number} options.nowS everything lies before this moment
 * @param {number} [options.charges] in the live account, about
 * @param {number} [options.days] of history
 * @param {{live?: string, sandbox?: string}} [options.names] of the Stripe accounts
 * @returns {{accounts, factories, live, qontoSeed, truth}} `truth()` tells it as of now, objects
 *   injected or changed later included
 */
export function createWorld({ seed = 1, nowS, charges = 60, days = 45, names = {} }) {
  if (!(charges >= 1 && charges <= CHARGES_MAX)) {
    throw new RangeError(`charges must be in 1..${CHARGES_MAX}`);
  }
  const random = createRandom(seed);
  const live = openAccount(random.fork('live'), true, names.live ?? 'Atelier Lumen');
  const sandbox = openAccount(random.fork('sandbox'), false, names.sandbox ?? 'Atelier Lumen test');
  const nextParty = partySource(random.fork('parties'));
  const history = { random: random.fork('history'), nowS, days, nextParty, factory: live.factory };

  const plans = planCharges(history, charges);
  for (const plan of plans) plan.charge = bookCharge(live.factory, plan);
  bookRefunds(history, plans);
  bookDispute(history, plans);
  bookPayouts(history, live);
  fillSandbox({ ...history, random: random.fork('test'), factory: sandbox.factory });

  const qonto = createQontoSeed({ random: random.fork('qonto'), nowS, days, plans, nextParty,
    name: live.account.name });
  return {
    accounts: [live.account, sandbox.account],
    factories: new Map([live, sandbox].map((it) => [it.account.id, it.factory])),
    live: live.account,
    qontoSeed: qonto.seed,
    truth: () => tellTruth(live.account, qonto.links, plans),
  };
}

function openAccount(random, livemode, name) {
  const id = `acct_1${random.base62(15)}`;
  const account = createAccount({ id, livemode, name });
  return { account, factory: createFactory({ account, random }) };
}

/** Exact shares instead of dice: a small world has every case too. At least one of each. */
function quotas(random, count, shares, fallback) {
  const list = shares.flatMap(([value, share]) => (
    Array.from({ length: Math.max(1, Math.round(share * count)) }, () => value)));
  while (list.length < count) list.push(fallback);
  return random.shuffle(list.slice(0, count));
}

function planCharges(history, count) {
  const { random, nowS, days } = history;
  const roles = quotas(random, count, ROLES, 'regular');
  const states = quotas(random, count, STATES, 'succeeded');
  const currencies = quotas(random, count, CURRENCIES, 'eur');
  const regulars = makeRegulars(history, roles.filter((role) => role === 'regular').length);
  const first = nowS - days * DAY_S;
  const step = (days * DAY_S - QUIET_S) / count;

  const plans = roles.map((role, index) => planCharge(history, {
    role,
    state: states[index],
    currency: currencies[index],
    created: Math.floor(first + index * step + random.float() * step * 0.9),
    number: index + 1,
    regular: regulars[index % regulars.length],
  }));
  const posting = plans.filter((plan) => plan.state === 'succeeded');
  const cases = quotas(random, posting.length, [...LINKS, ...LOOKALIKES], 'alone');
  posting.forEach((plan, index) => {
    plan.case = fittingCase(cases[index], plan);
    if (!['alone', 'clear'].includes(plan.case)) plan.amount = unusual(plan, index);
  });
  return plans;
}

/**
 * An amount that no other charge of the same payer has. Regular amounts are round; without this
 * the entry of one charge would truly look like that of another and the truth would be a guess.
 */
function unusual({ amount, currency }, index) {
  const step = currency === 'kwd' ? 10 : 1;
  return amount + step * (1 + (index % 49));
}

/** Who is not known by name cannot have an entry under that name. */
function fittingCase(wanted, plan) {
  return plan.role === 'nobody' && wanted !== 'same_amount' ? 'alone' : wanted;
}

/** Customers that come back: about six charges each, so that usual amounts exist. */
function makeRegulars({ random, nowS, days, nextParty, factory }, charges) {
  const count = Math.max(1, Math.round(charges / 6));
  return Array.from({ length: count }, (_, index) => {
    const party = nextParty(index % 3 === 2 ? 'person' : 'company');
    const { name, email, address, language, taxIds } = party;
    const customer = factory.customer({
      created: nowS - (days + random.int(5, 300)) * DAY_S,
      name, email, address, language, taxIds,
      metadata: { client_number: `C${1000 + index}` },
    });
    return { party, customer, usualEuroCents: random.int(12, 480) * 100 };
  });
}

const WORDS = {
  fr: { invoice: 'Facture', series: 'F', plan: 'Abonnement', order: 'Commande' },
  en: { invoice: 'Invoice', series: 'INV', plan: 'Subscription', order: 'Order' },
  de: { invoice: 'Rechnung', series: 'R', plan: 'Abonnement', order: 'Bestellung' },
};

function planCharge(history, { role, state, currency, created, number, regular }) {
  const { random } = history;
  const year = new Date(created * 1000).getUTCFullYear();
  const party = role === 'regular' ? regular.party : history.nextParty(
    random.chance(0.5) ? 'person' : 'company');
  const reference = `${WORDS[party.language].series}-${year}-${String(number).padStart(4, '0')}`;
  const euroCents = role === 'regular'
    ? regular.usualEuroCents * random.weighted([[1, 6], [2, 2], [3, 1]]) + random.int(0, 3) * 150
    : random.int(900, 90_000);
  return {
    role, state, created, currency, party, reference, number,
    case: 'alone',
    amount: fromEuroCents(euroCents, currency),
    customer: role === 'regular' ? regular.customer.id : null,
    description: role === 'nobody' ? null : describe(random, party, reference, number),
    billing: billingOf(random, role, party),
  };
}

function describe(random, party, reference, number) {
  const words = WORDS[party.language];
  return random.weighted([
    [`${words.invoice} ${reference}`, 6],
    [`${words.plan} Pro (${reference})`, 3],
    [`${words.order} ${4000 + number}, ${words.invoice} ${reference}`, 2],
  ]);
}

function billingOf(random, role, party) {
  if (role === 'regular') return undefined;
  if (role === 'nobody') return { name: null, email: null };
  return random.pick([
    { name: party.name },
    { name: null, email: party.email },
    { name: party.name, email: party.email, address: { ...party.address, line1: null } },
  ]);
}

function bookCharge(factory, plan) {
  return factory.charge({
    created: plan.created,
    amount: plan.amount,
    currency: plan.currency,
    customer: plan.customer,
    description: plan.description,
    billing_details: plan.billing,
    status: plan.state === 'uncaptured' ? 'succeeded' : plan.state,
    captured: plan.state !== 'uncaptured',
    method: plan.state === 'pending' ? 'sepa_debit' : 'card',
    statement_descriptor: 'ATELIER LUMEN',
    receipt_number: plan.role === 'regular' ? `2416-${1000 + plan.number}` : null,
    metadata: plan.role === 'nobody' ? {} : { order: String(4000 + plan.number) },
  });
}

const REFUNDS = [['succeeded', 0.06], ['pending', 0.02], ['failed', 0.02]];

function bookRefunds({ random, nowS, factory }, plans) {
  const candidates = plans.filter((plan) => plan.state === 'succeeded' && plan.role !== 'nobody'
    && plan.created < nowS - 2 * DAY_S);
  const states = REFUNDS.flatMap(([state, share]) => (
    Array.from({ length: Math.max(1, Math.round(share * plans.length)) }, () => state)));
  random.shuffle(candidates).slice(0, states.length).forEach((plan, index) => {
    const half = fromEuroCents(Math.round(plan.amount / 2), 'eur');
    const partial = plan.currency !== 'kwd' && plan.amount > 10 && random.chance(0.4);
    factory.refund({
      charge: plan.charge.id,
      amount: partial ? half : undefined,
      created: Math.min(plan.created + random.int(DAY_S, 6 * DAY_S), nowS - QUIET_S),
      status: states[index],
      reason: 'requested_by_customer',
    });
    plan.refunded = true;
  });
}

function bookDispute({ nowS, factory }, plans) {
  const plan = plans.find((it) => it.state === 'succeeded' && !it.refunded);
  if (plan) {
    factory.dispute({
      charge: plan.charge.id,
      created: Math.min(plan.created + 5 * DAY_S, nowS - QUIET_S),
    });
  }
}

/** A payout a week, of everything that became available; the one before the last failed. */
function bookPayouts({ nowS, days, factory }, { account }) {
  const start = nowS - days * DAY_S;
  const weeks = Math.floor(days / 7);
  for (let week = 1; week <= weeks; week += 1) {
    const created = start + week * 7 * DAY_S;
    const members = account.list('balance_transaction').filter((transaction) => (
      transaction.available_on <= created && !account.payoutMembers.has(transaction.id)
      && !transaction.type.startsWith('payout')));
    if (members.reduce((sum, member) => sum + member.net, 0) <= 0) continue;
    const status = week === weeks ? 'in_transit' : 'paid';
    factory.payout({ created, members, status: week === weeks - 1 ? 'failed' : status });
  }
}

/** The other account of the session: a few objects that must never be mixed with live ones. */
function fillSandbox({ random, nowS, nextParty, factory }) {
  for (let i = 0; i < 3; i += 1) {
    const { name, email } = nextParty('company');
    const created = nowS - (10 - i) * DAY_S;
    const customer = factory.customer({ created: created - DAY_S, name, email });
    factory.charge({
      created, customer: customer.id, amount: random.int(10, 900) * 100,
      description: `Test payment ${i + 1}`,
    });
  }
}

const DIFFICULTY = { regular: 'sure', partial: 'doubtful', nobody: 'hopeless' };
const DOUBTFUL_CASES = ['unreferenced', 'twins', 'earlier_equal'];

/** One line for each charge and refund of the live account that should post, oldest first. */
function tellTruth(account, links, plans) {
  const planOf = new Map(plans.map((plan) => [plan.charge.id, plan]));
  const told = (object, kind) => {
    const plan = kind === 'charge' ? planOf.get(object.id) : undefined;
    const link = links.get(object.id);
    return {
      source_id: object.id,
      kind,
      expected: link?.entry ? 'link' : 'create',
      ...(link?.entry ? { entry: link.entry } : {}),
      ...(link?.settlement ? { settlement: link.settlement } : {}),
      difficulty: difficultyOf(account, object, kind, plan),
      why: link?.why ?? 'no entry of the ledger is about it',
    };
  };
  const charges = account.list('charge')
    .filter((charge) => charge.status === 'succeeded' && charge.captured)
    .map((charge) => told(charge, 'charge'));
  const refunds = account.list('refund')
    .filter((refund) => refund.status === 'succeeded')
    .map((refund) => told(refund, 'refund'));
  return [...charges, ...refunds].reverse();
}

function difficultyOf(account, object, kind, plan) {
  if (plan) return DOUBTFUL_CASES.includes(plan.case) ? 'doubtful' : DIFFICULTY[plan.role];
  const charge = kind === 'refund' ? account.get(object.charge, 'charge') : object;
  if (charge.customer) return 'sure';
  const { name, email } = charge.billing_details;
  return name || email ? 'doubtful' : 'hopeless';
}
