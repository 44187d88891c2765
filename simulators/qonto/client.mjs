// The application that is registered with the simulated Qonto.

import { timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

export const SCOPES = [
  'openid', 'offline_access', 'organization.read', 'membership.read', 'membership.write',
  'attachment.read', 'attachment.write', 'supplier_invoice.read', 'supplier_invoice.write',
  'client_invoices.read', 'client_invoice.write', 'client.read', 'einvoicing.read',
  'beneficiary.trust', 'payment.write', 'webhook',
];

/** Whether an address leads back to this machine. @param {string} uri */
function isLoopback(uri) {
  const url = URL.canParse(uri) ? new URL(uri) : null;
  if (!url || url.hash || !['http:', 'https:'].includes(url.protocol)) return false;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * Until redirect URIs are registered, any on this machine is taken, because a test or a
 * demonstration learns its port only when it runs. After that the comparison is exact.
 * @param {{id: string, secret: string, redirect_uris?: string[]}} parts
 */
export function createClient({ id, secret, redirect_uris: uris = [] }) {
  return {
    id,
    secret,
    redirect_uris: uris,
    scopes: SCOPES,
    /** @param {string} uri */
    registered(uri) {
      return this.redirect_uris.length ? this.redirect_uris.includes(uri) : isLoopback(uri);
    },
  };
}

/** Whether two secrets are equal, in constant time. @param {string} a @param {string} b */
export function sameSecret(a, b) {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
