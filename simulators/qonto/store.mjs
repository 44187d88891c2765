// The state of one simulated Qonto: one organisation, one member, their accounts, transactions,
// supplier invoices and files. What must happen "later" (analysis, files that appear on a
// transaction) happens when somebody looks and its time on the clock has come.

import { join } from 'node:path';
import { pdfText, readInvoice } from './ocr.mjs';

const NOTHING_READ = Object.freeze({
  supplier_name: null, invoice_number: null, issue_date: null, due_date: null, iban: null,
  vat_number: null, total_amount: null, is_credit_note: false,
});

/**
 * @typedef {object} Attachment
 * @property {string} id
 * @property {number} created_ms
 * @property {string} file_name
 * @property {string} content_type
 * @property {number} bytes
 * @property {string} sha256
 * @property {string} [path] where the bytes of an upload are
 * @property {Buffer} [content] the bytes of what was put here
 *
 * @typedef {object} Invoice a supplier invoice; the keys without _ms are those of the API
 * @property {string} id
 * @property {string} status
 * @property {string} attachment_id
 * @property {string} file_name
 * @property {number} created_ms
 * @property {number} updated_ms
 * @property {number|null} analyzed_ms
 * @property {number|null} analysis_due_ms
 * @property {string|null} idempotency_key
 * @property {string|null} request_id the trace of the request that made it; null: it was put here
 */

export class Store {
  /** @param {{clock: object, random: object, switches: object, dir: string}} parts */
  constructor({ clock, random, switches, dir }) {
    Object.assign(this, { clock, random, switches });
    this.uploads_dir = join(dir, 'uploads');
    this.organization = {};
    this.membership_id = this.newId();
    this.bank_accounts = [];
    this.labels = [];
    /** @type {Map<string, object>} */
    this.beneficiaries = new Map();
    /** @type {Map<string, object>} */
    this.transactions = new Map();
    /** @type {Map<string, Invoice>} */
    this.invoices = new Map();
    /** @type {Map<string, Attachment>} */
    this.attachments = new Map();
    /** What will have been read in each document that is not analysed yet. */
    this.unanalysed = new Map();
    this.lastReading = Promise.resolve();
    /** Files on their way to a transaction. @type {object[]} */
    this.travelling = [];
  }

  newId() {
    return this.random.uuid();
  }

  /** Where uploads are written, and under which names. */
  uploads() {
    return { dir: this.uploads_dir, newId: () => this.newId() };
  }

  /** @param {Omit<Attachment, 'id'|'created_ms'>} file @returns {Attachment} */
  addAttachment(file) {
    const attachment = { id: this.newId(), created_ms: this.clock.now(), ...file };
    this.attachments.set(attachment.id, attachment);
    return attachment;
  }

  /**
   * A document arrives: to be reviewed, and not analysed yet.
   * @param {Attachment} attachment
   * @param {Partial<Invoice>} facts
   * @returns {Invoice}
   */
  addInvoice(attachment, facts) {
    const now = this.clock.now();
    const invoice = {
      id: this.newId(), status: 'to_review', source_type: 'direct_upload', source: 'generic_upload',
      attachment_id: attachment.id, file_name: attachment.file_name,
      created_ms: now, updated_ms: now, analyzed_ms: null,
      analysis_due_ms: now + this.switches.get('analysis_delay_s') * 1000,
      ...NOTHING_READ, description: null, payment_date: null, scheduled_date: null,
      declined_note: '', has_duplicates: false, is_einvoice: false, meta: {},
      initiator_id: this.membership_id, idempotency_key: null, request_id: null, ...facts,
    };
    this.invoices.set(invoice.id, invoice);
    if (invoice.analysis_due_ms !== null) this.unanalysed.set(invoice, this.read(attachment));
    return invoice;
  }

  /** Reading starts with the upload, one document at a time, so that no later answer waits. */
  read(attachment) {
    if (attachment.content_type !== 'application/pdf') return Promise.resolve(NOTHING_READ);
    this.lastReading = this.lastReading.then(() => pdfText(attachment.path)).then(readInvoice);
    return this.lastReading;
  }

  /** @param {Invoice} invoice @param {object} changes */
  changeInvoice(invoice, changes) {
    Object.assign(invoice, changes, { updated_ms: this.clock.now() });
  }

  /** Let everything happen whose time has come. Every read of the API begins here. */
  async settle() {
    const now = this.clock.now();
    for (const invoice of [...this.unanalysed.keys()]) {
      if (invoice.analysis_due_ms <= now) await this.analyse(invoice);
    }
    const arrived = this.travelling.filter((file) => file.due_ms <= now);
    this.travelling = this.travelling.filter((file) => file.due_ms > now);
    for (const { transaction, attachment_id: id, due_ms: due } of arrived) {
      transaction.attachment_ids.push(id);
      transaction.updated_ms = Math.max(transaction.updated_ms, due);
    }
  }

  /** The recognition of one document ends, at the time it was due. */
  async analyse(invoice) {
    const facts = await this.unanalysed.get(invoice);
    if (!this.unanalysed.delete(invoice)) return;
    Object.assign(invoice, facts, {
      analyzed_ms: invoice.analysis_due_ms,
      updated_ms: Math.max(invoice.updated_ms, invoice.analysis_due_ms),
      analysis_due_ms: null,
      has_duplicates: this.hasTwin(invoice),
    });
  }

  hasTwin(invoice) {
    const hash = (row) => this.attachments.get(row.attachment_id)?.sha256;
    return [...this.invoices.values()].some((other) => other !== invoice
      && hash(other) === hash(invoice));
  }
}
