// What the simulated document analysis reads in an upload: the labels of the page, best effort, as
// a stand-in for Qonto's own recognition. What is not found stays null. Images are not read.

import { execFile } from 'node:child_process';

const TEXT_BYTES_MAX = 2_000_000;
const PROGRAM_MS_MAX = 15_000;

/**
 * @typedef {{supplier_name: string|null, invoice_number: string|null, issue_date: string|null,
 *            due_date: string|null, iban: string|null, vat_number: string|null,
 *            total_amount: {value: string, currency: string}|null, is_credit_note: boolean}} Facts
 */

/** The text of a PDF; '' when the program `pdftotext` is absent or fails. @param {string} path */
export function pdfText(path) {
  return new Promise((resolve) => {
    execFile(
      'pdftotext', ['-layout', '-enc', 'UTF-8', path, '-'],
      { maxBuffer: TEXT_BYTES_MAX, timeout: PROGRAM_MS_MAX },
      (error, stdout) => resolve(error ? '' : stdout),
    );
  });
}

const LABELS = {
  supplier_name: ['supplier', 'seller', 'vendor', 'from', 'issued by', 'fournisseur', 'vendeur',
    'émetteur', 'de la part de', 'lieferant', 'verkäufer'],
  invoice_number: ['invoice number', 'invoice no', 'invoice n°', 'invoice', 'receipt number',
    'document number', 'reference', 'our reference', 'number', 'numéro de facture', 'facture n°',
    'n° de facture', 'facture', 'numéro', 'référence', 'notre référence', 'rechnungsnummer'],
  issue_date: ['issue date', 'issued on', 'invoice date', 'date of issue', 'date',
    "date d'émission", 'date d’émission', 'émise le', 'date de facture', 'rechnungsdatum'],
  due_date: ['due date', 'due on', 'payment due', "date d'échéance", 'date d’échéance', 'échéance'],
  total: ['total including tax', 'total incl. tax', 'total incl. vat', 'amount due', 'grand total',
    'total amount', 'total due', 'total ttc', 'montant ttc', 'net à payer', 'montant total',
    'gesamtbetrag', 'bruttosumme', 'bruttobetrag', 'zahlbetrag', 'rechnungsbetrag'],
  /** Heads of columns too, so that only what stands beside them counts. */
  total_beside: ['total', 'amount', 'montant', 'summe'],
  currency: ['currency', 'devise', 'währung'],
};

const CUSTOMER_LABELS = ['buyer', 'customer', 'client', 'bill to', 'acheteur', 'käufer', 'kunde'];
const OTHER_LABELS = [...CUSTOMER_LABELS, 'nummer', 'datum', 'quantity', 'description',
  'quantité', 'désignation'];
const ALL_LABELS = new Set([...Object.values(LABELS).flat(), ...OTHER_LABELS]);

const CREDIT_NOTE = /\b(credit note|refund note|avoir|note de crédit|gutschrift)\b/i;

/** Column gaps of `pdftotext -layout` are runs of blanks. */
const cells = (line) => line.trim().split(/\s{2,}|\t/).filter(Boolean);

const plain = (text) => text.toLowerCase().replace(/[\s:#.]+$/u, '').trim();

/**
 * Values that stand beside a label (`Label: value`, or the next column) or below it.
 * @param {string[][]} rows
 * @param {string} label
 * @param {boolean} alsoBelow
 */
function* valuesAt(rows, label, alsoBelow) {
  for (const [index, row] of rows.entries()) {
    for (const [column, cell] of row.entries()) {
      const colon = cell.indexOf(':');
      if (colon > 0 && plain(cell.slice(0, colon)) === label && cell.slice(colon + 1).trim()) {
        yield cell.slice(colon + 1).trim();
      } else if (plain(cell) === label) {
        const beside = row[column + 1];
        if (beside && !ALL_LABELS.has(plain(beside))) yield beside;
        const below = rows[index + 1]?.[column];
        if (alsoBelow && below && !ALL_LABELS.has(plain(below))) yield below;
      }
    }
  }
}

/** The first value of any of the labels, best label first, that `read` can make sense of. */
function find(rows, labels, read, alsoBelow = true) {
  for (const label of labels) {
    for (const value of valuesAt(rows, label, alsoBelow)) {
      const answer = read(value);
      if (answer !== null) return answer;
    }
  }
  return null;
}

const MONTHS = ['jan', 'f[eé]', 'mar', 'a[pv]', 'ma[yi]', 'jun|juin', 'jul|juil', 'au?g|ao', 'sep',
  'o[ck]t', 'nov', 'd[eé][cz]'].map((pattern) => new RegExp(`^(?:${pattern})`, 'i'));

const two = (number) => String(number).padStart(2, '0');

/** `2026-01-31` out of the usual notations; day before month where both are numbers. */
export function readDate(text) {
  const iso = /\b(\d{4})-(\d\d)-(\d\d)\b/.exec(text);
  if (iso) return iso[0];
  const numeric = /\b(\d{1,2})[/.](\d{1,2})[/.](\d{4})\b/.exec(text);
  if (numeric) return `${numeric[3]}-${two(numeric[2])}-${two(numeric[1])}`;
  const words = /\b(\d{1,2})(?:er|st|nd|rd|th)?\.? ([\p{L}]{3,})\.?,? (\d{4})\b/u.exec(text)
    ?? swap(/\b([\p{L}]{3,})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})\b/u.exec(text));
  const month = words ? MONTHS.findIndex((pattern) => pattern.test(words[2])) + 1 : 0;
  return month ? `${words[3]}-${two(month)}-${two(words[1])}` : null;
}

const swap = (hit) => hit && [hit[0], hit[2], hit[1], hit[3]];

const SIGNS = { '€': 'EUR', '$': 'USD', '£': 'GBP' };
const CODE = /\b(EUR|USD|GBP|CHF|SEK|DKK|NOK|PLN|CZK|HUF|RON|CAD|AUD|JPY|KRW|SGD|BHD|KWD|TND)\b/;

/** @param {string} text */
export function readCurrency(text) {
  const code = CODE.exec(text);
  if (code) return code[1];
  const sign = Object.keys(SIGNS).find((symbol) => text.includes(symbol));
  return sign ? SIGNS[sign] : null;
}

/** A decimal as Qonto writes it, out of `1,234.56`, `1 234,56` or `1.234,56`. */
export function readDecimal(text) {
  const hit = /-?\d[\d., \u00a0\u202f'’]*/u.exec(text.replace(/[−–]/gu, '-'));
  if (!hit) return null;
  const digits = hit[0].replace(/[\s\u00a0\u202f'’]/gu, '').replace(/[.,]$/, '');
  const mark = Math.max(digits.lastIndexOf('.'), digits.lastIndexOf(','));
  const decimals = mark < 0 ? 0 : digits.length - mark - 1;
  const isGrouping = decimals === 3 && /^-?\d{1,3}([.,]\d{3})+$/.test(digits)
    && new Set(digits.replace(/[-\d]/g, '')).size === 1;
  if (mark < 0 || isGrouping) return digits.replace(/[.,]/g, '');
  return `${digits.slice(0, mark).replace(/[.,]/g, '')}.${digits.slice(mark + 1)}`;
}

function readTotal(rows, text) {
  const stated = find(rows, LABELS.currency, readCurrency);
  const read = (value) => {
    const decimal = readDecimal(value);
    const currency = readCurrency(value) ?? stated ?? readCurrency(text);
    if (decimal === null || currency === null) return null;
    return { value: decimal.replace(/^-/, ''), currency };
  };
  return find(rows, LABELS.total, read) ?? find(rows, LABELS.total_beside, read, false);
}

const readNumber = (value) => {
  const word = value.split(' ')[0];
  return /\d/.test(word) && readDate(value) === null ? word : null;
};

const IBAN = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g;
const VAT = new RegExp('\\b(?:FR ?[0-9A-Z]{2} ?\\d{3} ?\\d{3} ?\\d{3}|DE ?\\d{9}|GB ?\\d{9}'
  + '|IT ?\\d{11}|ES ?[A-Z0-9]\\d{7}[A-Z0-9]|IE ?\\d{7}[A-Z]{1,2})\\b');

/** The check of ISO 13616: letters as numbers, the head at the end, a remainder of one. */
function isIban(iban) {
  const digits = [...iban.slice(4) + iban.slice(0, 4)].map((char) => Number.parseInt(char, 36));
  return BigInt(digits.join('')) % 97n === 1n;
}

const readIban = (text) =>
  (text.match(IBAN) ?? []).map((hit) => hit.replaceAll(' ', '')).find(isIban) ?? null;

/** The supplier's: a number at or after the customer's block may be the customer's. */
function readVat(rows) {
  const customer = rows.findIndex((row) =>
    row.some((cell) => CUSTOMER_LABELS.includes(plain(cell.split(':')[0]))));
  const own = rows.slice(0, customer < 0 ? rows.length : customer).flat().join('\n');
  return VAT.exec(own)?.[0].replaceAll(' ', '') ?? null;
}

/** @param {string} value */
const readName = (value) => (/\p{L}{2}/u.test(value) && value.length <= 120 ? value : null);

/**
 * @param {string} text of `pdftotext -layout`
 * @returns {Facts}
 */
export function readInvoice(text) {
  const rows = text.split('\n').map(cells).filter((row) => row.length);
  return {
    supplier_name: find(rows, LABELS.supplier_name, readName),
    invoice_number: find(rows, LABELS.invoice_number, readNumber),
    issue_date: find(rows, LABELS.issue_date, readDate),
    due_date: find(rows, LABELS.due_date, readDate),
    total_amount: readTotal(rows, text),
    iban: readIban(text),
    vat_number: readVat(rows),
    is_credit_note: CREDIT_NOTE.test(text),
  };
}
