// The organisation, its accounts and its beneficiaries.

import { notFound } from './errors.mjs';
import { isoTime, page } from './paging.mjs';

const PER_PAGE_ACCOUNTS = 100;
const CONTRACT_SIGNED_AT = '2023-07-17 08:57:00.123047';

function presentAccount(store, account) {
  return {
    id: account.id, slug: account.slug, iban: account.iban, bic: account.bic,
    currency: account.currency, balance: account.balance_cents / 100,
    balance_cents: account.balance_cents,
    authorized_balance: account.authorized_balance_cents / 100,
    authorized_balance_cents: account.authorized_balance_cents, name: account.name,
    updated_at: isoTime(store.clock.now()), status: account.status, main: account.main,
    is_external_account: false, account_number: '',
  };
}

export function getOrganization(call) {
  const { store, switches } = call.qonto;
  return {
    body: {
      organization: {
        legal_share_capital: 1000, legal_registration_date: '2019-03-04', legal_sector: '6201Z',
        contract_signed_at: CONTRACT_SIGNED_AT, ...store.organization,
        bank_accounts: store.bank_accounts.map((account) => presentAccount(store, account)),
        ...(switches.get('extra_fields') && { onboarding_cohort: null }),
      },
    },
  };
}

const withOwner = (store, account) =>
  ({ ...presentAccount(store, account), organization_id: store.organization.id });

/** No meta here: the documented answer has none. */
export function listBankAccounts(call) {
  const { store, switches } = call.qonto;
  const rules = { perPage: PER_PAGE_ACCOUNTS, pastEnd: switches.get('past_end') };
  const { items } = page(store.bank_accounts, call.query, rules);
  return { body: { bank_accounts: items.map((account) => withOwner(store, account)) } };
}

export function getBankAccount(call) {
  const { store } = call.qonto;
  const account = store.bank_accounts.find((row) => row.id === call.params.id);
  if (!account) throw notFound('Bank account');
  return { body: { bank_account: withOwner(store, account) } };
}

/** The member withdraws the consent that the token stands on. */
export function deleteConsents(call) {
  const { grants } = call.qonto;
  grants.revokeConsents(call.principal.grant.client_id, call.principal.grant.membership_id);
  return { status: 204 };
}
