// Connects a provider as a person does: asks for the authorisation, lets the browser walk it, and
// waits until the connection is enabled.

import { until } from './api.mjs';

/** @returns {Promise<object>} the connection, enabled */
export async function connect({ api, at, browser, tell, provider, role }) {
  const asked = await api.expect(201, 'POST', `${at}/connections`, { body: { provider, role } });
  await authorise({ browser, url: asked.authorize_url });
  const connection = await settled({ api, at, id: asked.id });
  tell(`${provider} connected as ${role}: ${connection.account.name ?? connection.account.id}`);
  return connection;
}

/** Renews a connection whose tokens are gone. @returns {Promise<object>} the connection, enabled */
export async function renew({ api, at, browser, id }) {
  const asked = await api.expect(200, 'POST', `${at}/connections/${id}/reconnect`, { body: {} });
  await authorise({ browser, url: asked.authorize_url });
  return settled({ api, at, id });
}

export async function authorise({ browser, url }) {
  const page = await browser.authorise(url);
  if (page.status !== 200) throw new Error(`the authorisation ended with ${page.status} at ${page.url}: ${page.text.slice(0, 500)}`);
  return page;
}

/** Waits until the connection is enabled, choosing its live account where there is a choice. */
export async function settled({ api, at, id, seconds = 30 }) {
  let chosen = false;
  return until(`connection ${id} enabled`, async () => {
    const connection = await api.get(`${at}/connections/${id}`);
    if (connection.state === 'to_configure' && connection.accounts.length > 0 && !chosen) {
      const { account } = connection.accounts.find((choice) => choice.livemode);
      await api.expect(200, 'POST', `${at}/connections/${id}/account`, { body: { account, livemode: true } });
      chosen = true;
    }
    if (['error', 'need_reconnect', 'disconnected'].includes(connection.state)) {
      throw new Error(`the connection is ${connection.state}: ${connection.need?.text ?? ''}`);
    }
    return connection.state === 'enabled' ? connection : null;
  }, { seconds });
}
