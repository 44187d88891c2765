// What the Qonto account of the simulated world holds at the start: entries that are truly about
// Stripe charges, entries that only look like it, and entries about something else.
//
// A supplier invoice here is plain data in cents; the Qonto simulator dresses it in Qonto's shape.

import { frenchIban, frenchVat, siren } from './identifiers.mjs';
import { decimal } from './money.mjs';
import { nameOnInvoice, nameOnStatement } from './parties.mjs';

const DAY_S = 86_400;

/**
 * @typedef {object} SeedInvoice
 * @property {string} id uuid
 * @property {string} supplier_name
 * @property {string | null} invoice_number
 * @property {string} file_name
 * @property {number} total_minor
 * @property {string} currency ISO code in upper case
 * @property {{value: string, currency: string}} total_amount the same as a decimal
 * @property {string} issue_date YYYY-MM-DD
 * @property {string | null} due_date
 * @property {string} status a status of Qonto's supplier invoices
 * @property {string | null} vat_number
 * @property {string | null} description
 * @property {number} created_at_s
 * @property {number} updated_at_s
 * @property {number} analyzed_at_s
 *
 * @typedef {object} SeedTransaction
 * @property {string} id uuid
 * @property {string} label as the bank prints it
 * @property {number} amount_cents positive; the sign is in `side`
 * @property {'credit' | 'debit'} side
 * @property {string} operation_type income, transfer, card, direct_debit
 * @property {string | null} reference
 * @property {number} emitted_at_s
 * @property {number} settled_at_s
 * @property {string} status completed
 */

/**
 * @param {object} parts
 * @param {object[]} parts.plans what world.mjs planned, each with its booked charge
 * @returns {{seed: object, links: Map<string, {entry?: string, settlement?: string, why: string}>}}
 *   links is keyed by charge id
 */
export function createQontoSeed({ random, nowS, plans, nextParty, name }) {
  const book = { random, nowS, nextParty, invoices: [], transactions: [], links: new Map() };
  for (const plan of plans) ENTRIES[plan.case](book, plan);
  addUnrelated(book, Math.max(4, Math.round(plans.length / 10)));
  const { organization, bankAccount } = createOrganization(random, name, book.transactions);
  const byTime = (a, b) => a.created_at_s - b.created_at_s || (a.id < b.id ? -1 : 1);
  return {
    links: book.links,
    seed: {
      organization,
      bank_account: bankAccount,
      supplier_invoices: book.invoices.toSorted(byTime),
      transactions: book.transactions.toSorted((a, b) => a.emitted_at_s - b.emitted_at_s),
    },
  };
}

/** What the ledger holds about a charge, by the case that the world chose for it. */
const ENTRIES = {
  alone() {},

  /** The entry carries the reference: nobody can doubt. The payment is in the bank too. */
  clear(book, plan) {
    const entry = addInvoice(book, plan, { invoice_number: plan.reference });
    const settlement = plan.currency === 'eur' ? addPayment(book, plan) : undefined;
    book.links.set(plan.charge.id, { entry: entry.id, settlement: settlement?.id,
      why: 'an entry has the same reference, party and amount' });
  },

  /** Same party, amount and day, but no number to hold on to. */
  unreferenced(book, plan) {
    const entry = addInvoice(book, plan, { invoice_number: null });
    book.links.set(plan.charge.id, { entry: entry.id,
      why: 'an entry without number has the same party and amount at the same time' });
  },

  /** Two entries of the same party and amount; the number in the file name tells which. */
  twins(book, plan) {
    const entry = addInvoice(book, plan, {
      invoice_number: null, file_name: `${fileSafe(plan.reference)}.pdf`,
    });
    addInvoice(book, plan, { invoice_number: null, days: plan.number % 2 ? 3 : -3 });
    book.links.set(plan.charge.id, { entry: entry.id,
      why: 'of two equal entries one has the reference in its file name' });
  },

  same_amount(book, plan) {
    const other = { ...plan, party: book.nextParty('company') };
    addInvoice(book, other, { invoice_number: number(book) });
    book.links.set(plan.charge.id, { why: 'the entry of the same amount is about another party' });
  },

  same_party(book, plan) {
    const amount = plan.amount + Math.max(10, Math.round(plan.amount * 0.37 / 10) * 10);
    addInvoice(book, { ...plan, amount }, { invoice_number: number(book) });
    book.links.set(plan.charge.id, { why: 'the entry of the same party has another amount' });
  },

  /** The month before was the same: a recurring purchase, whose own entry is still to come. */
  earlier_equal(book, plan) {
    addInvoice(book, plan, { invoice_number: number(book), days: -30 });
    book.links.set(plan.charge.id, { why: 'the equal entry is the one of the month before' });
  },
};

const number = ({ random }) => `${random.pick(['FA', '', 'RE-', 'N'])}${random.digits(6)}`;
const fileSafe = (text) => text.replace(/[^A-Za-z0-9]+/g, '-');
const isoDay = (timeS) => new Date(timeS * 1000).toISOString().slice(0, 10);

function addInvoice(book, plan, { invoice_number: invoiceNumber, file_name: fileName, days }) {
  const { random, nowS } = book;
  const issuedS = plan.created + (days ?? random.int(-2, 1)) * DAY_S;
  const createdS = Math.min(issuedS + 3600, nowS - 3600);
  const currency = plan.currency.toUpperCase();
  const vat = plan.party.taxIds.find((taxId) => taxId.type !== 'fr_siren');
  const invoice = {
    id: random.uuid(),
    supplier_name: nameOnInvoice(plan.party, random),
    invoice_number: invoiceNumber,
    file_name: fileName ?? `${fileSafe(invoiceNumber ?? `scan ${random.digits(8)}`)}.pdf`,
    total_minor: plan.amount,
    currency,
    total_amount: { value: decimal(plan.amount, plan.currency), currency },
    issue_date: isoDay(issuedS),
    due_date: random.chance(0.7) ? isoDay(issuedS + 30 * DAY_S) : null,
    status: random.weighted([['to_review', 5], ['awaiting_payment', 2], ['paid', 3]]),
    vat_number: vat && random.chance(0.6) ? vat.value : null,
    description: null,
    created_at_s: createdS,
    updated_at_s: createdS + 90,
    analyzed_at_s: createdS + 60,
  };
  book.invoices.push(invoice);
  return invoice;
}

function addPayment(book, plan) {
  const { random, nowS } = book;
  const emittedS = Math.min(plan.created + random.int(0, 2) * DAY_S, nowS - 1800);
  return pushTransaction(book, {
    label: nameOnStatement(plan.party, random),
    amount_cents: plan.amount,
    side: 'credit',
    operation_type: 'income',
    reference: random.chance(0.6) ? plan.reference : null,
    emitted_at_s: emittedS,
  });
}

function pushTransaction(book, fields) {
  const settledS = Math.min(fields.emitted_at_s + 1200, book.nowS - 600);
  const transaction = { id: book.random.uuid(), ...fields, settled_at_s: settledS,
    status: 'completed' };
  book.transactions.push(transaction);
  return transaction;
}

/** Ordinary expenses: they are in every ledger and match nothing. */
function addUnrelated(book, count) {
  const { random, nowS } = book;
  for (let i = 0; i < count; i += 1) {
    const party = book.nextParty('company');
    const amount = random.int(800, 250_000);
    const created = nowS - random.int(2, 40) * DAY_S;
    addInvoice(book, { party, amount, created, currency: 'eur', number: i },
      { invoice_number: number(book) });
    pushTransaction(book, {
      label: nameOnStatement(party, random),
      amount_cents: amount,
      side: 'debit',
      operation_type: random.pick(['card', 'transfer', 'direct_debit']),
      reference: null,
      emitted_at_s: created + DAY_S,
    });
  }
}

function createOrganization(random, name, transactions) {
  const companyNumber = siren(random);
  const iban = frenchIban(random);
  const balance = 5_000_000 + transactions.reduce((sum, it) => (
    sum + (it.side === 'credit' ? it.amount_cents : -it.amount_cents)), 0);
  const slug = `${fileSafe(name).toLowerCase()}-${random.digits(4)}`;
  return {
    organization: {
      id: random.uuid(),
      name,
      legal_name: `${name} SAS`,
      slug,
      locale: 'fr',
      legal_country: 'FR',
      legal_form: 'SAS',
      legal_number: `${companyNumber}00017`,
      vat_number: frenchVat(companyNumber),
      legal_address: '12 rue de la Lanterne, 69001 Lyon',
    },
    bankAccount: {
      id: random.uuid(),
      slug: `${slug}-bank-account-1`,
      name: 'Compte principal',
      iban,
      bic: 'QNTOFRP1XXX',
      currency: 'EUR',
      balance_cents: balance,
    },
  };
}
