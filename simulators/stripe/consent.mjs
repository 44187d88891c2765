// The consent page. By default it approves or denies by itself, so that an HTTP client walks
// through by following redirects with its cookies; "page" shows two buttons to a person.

import express from 'express';

const PERSON = 'user_simulated';

export function createConsent({ provider, resource, switches }) {
  const router = express.Router();

  const finish = async (req, res, approved) => {
    const result = approved
      ? await approve(provider, resource, await provider.interactionDetails(req, res))
      : { error: 'access_denied', error_description: 'The user denied the request' };
    await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  };

  router.get('/:uid', async (req, res) => {
    if (switches.consent !== 'page') return finish(req, res, switches.consent === 'approve');
    const { params } = await provider.interactionDetails(req, res);
    const client = await provider.Client.find(params.client_id);
    return res.type('html').send(page(client.clientName ?? client.clientId));
  });
  router.post('/:uid', express.urlencoded({ extended: false, limit: 4096 }), (req, res) => (
    finish(req, res, req.body.choice === 'approve')));
  // An interaction that is over or belongs to another browser.
  router.use((error, req, res, next) => {
    if (res.headersSent) return next(error);
    const status = error.statusCode ?? error.status ?? 500;
    return res.status(status).json({ error: error.error ?? 'server_error' });
  });
  return router;
}

async function approve(provider, resource, { params }) {
  const grant = new provider.Grant({ accountId: PERSON, clientId: params.client_id });
  grant.addOIDCScope(params.scope ?? 'mcp');
  grant.addResourceScope(params.resource ?? resource, 'mcp');
  return { login: { accountId: PERSON }, consent: { grantId: await grant.save() } };
}

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function page(clientName) {
  const name = clientName.replace(/[&<>"]/g, (character) => ESCAPES[character]);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulated Stripe</title>
<body style="font:16px sans-serif;max-width:32em;margin:4em auto">
<h1>Simulated Stripe</h1>
<p><strong>${name}</strong> wants to read the payments of your accounts.</p>
<form method="post">
<button name="choice" value="approve">Allow access</button>
<button name="choice" value="deny">Deny</button>
</form>
`;
}
