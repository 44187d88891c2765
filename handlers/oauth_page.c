#include "base/base.h"

#include "handlers/oauth_page.h"

#include "base/text.h"
#include "crypto/crypto.h"

enum { PAGE_BYTES_MAX = 32 * 1024, MINUTES_CHARS = 16 /* 2026-11-20T10:22 */ };

static const char style[] =
    "body{font:18px/1.5 system-ui,sans-serif;max-width:32em;margin:12vh auto;padding:0 1.5em;"
    "color:#1d2733;background:#f7f8fa}h1{font-size:1.4em}button{font:inherit;padding:.4em 1.2em}";

struct words {
    const char *title;
    const char *sentence; /* what follows the name of the provider */
};

static const char *const names[] = {
    [OUTCOME_CONNECTED] = "connected",
    [OUTCOME_CHOOSE_ACCOUNT] = "choose_account",
    [OUTCOME_DENIED] = "denied",
    [OUTCOME_FAILED] = "failed",
};

static const struct words english[] = {
    [OUTCOME_CONNECTED] = {"Connected",
                           "has given access. The connection starts by itself; you can close this "
                           "page."},
    [OUTCOME_CHOOSE_ACCOUNT] = {"One choice left",
                                "has given access to several accounts. Go back and choose the one "
                                "to use."},
    [OUTCOME_DENIED] = {"Not connected",
                        "was not given your consent, so nothing was connected. You can start again "
                        "at any time."},
    [OUTCOME_FAILED] = {"Not connected",
                        "could not be connected. Start again in a moment; if it happens again, ask "
                        "whoever runs this installation."},
};

static const struct words french[] = {
    [OUTCOME_CONNECTED] = {"Connexion établie",
                           "a donné son accès. La connexion démarre d’elle-même ; vous pouvez "
                           "fermer cette page."},
    [OUTCOME_CHOOSE_ACCOUNT] = {"Encore un choix",
                                "a donné accès à plusieurs comptes. Revenez en arrière et "
                                "choisissez celui à utiliser."},
    [OUTCOME_DENIED] = {"Connexion non établie",
                        "n’a pas reçu votre accord : rien n’a été connecté. Vous pouvez "
                        "recommencer quand vous voulez."},
    [OUTCOME_FAILED] = {"Connexion non établie",
                        "n’a pas pu être connecté. Réessayez dans un instant ; si cela se "
                        "reproduit, adressez-vous à la personne qui gère cette installation."},
};

static const char refused[] =
    "<h1>This link can no longer be used</h1>"
    "<p>It was used already, is older than 15 minutes, belongs to another browser, or whoever made "
    "it may no longer do so. Nothing was connected. Go back and start the connection again.</p>"
    "<h1 lang=\"fr\">Ce lien n’est plus utilisable</h1>"
    "<p lang=\"fr\">Il a déjà servi, date de plus de 15 minutes, appartient à un autre "
    "navigateur, ou la personne qui l’a créé n’en a plus le droit. Rien n’a été connecté. Revenez "
    "en arrière et recommencez la connexion.</p>";

const char *oauth_outcome_name(enum oauth_outcome outcome)
{
    return names[outcome];
}

struct page_text {
    const char *language;
    const char *title;
    const char *body;
    const char *form_action; /* where its form may lead, as a source list; NULL: it has none */
};

static enum err page_reply(struct request *req, int status, const struct page_text *text)
{
    uint8_t hash[SHA256_BYTES];
    struct buf page = buf_new(req->arena, PAGE_BYTES_MAX);
    buf_format(&page,
               "<!doctype html><html lang=\"%s\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width\"><title>%s</title>"
               "<style>%s</style></head><body>%s</body></html>",
               text->language, text->title, style, text->body);
    assert(!page.overflowed);
    sha256((struct bytes){(const uint8_t *)style, strlen(style)}, hash);
    reply_field(req, "Content-Security-Policy",
                arena_format(req->arena,
                             "default-src 'none'; style-src 'sha256-%s'; form-action %s; "
                             "base-uri 'none'; frame-ancestors 'none'",
                             base64_encode(req->arena, (struct bytes){hash, sizeof hash}),
                             text->form_action ? text->form_action : "'none'"));
    TRY(reply_bytes(req, "text/html; charset=utf-8", buf_bytes(&page)));
    req->reply->status = status;
    return OK;
}

/* Text of somebody's as it may stand in HTML, also in a quoted attribute. */
static const char *escaped(struct request *req, const char *text)
{
    struct buf out = buf_new(req->arena, PAGE_BYTES_MAX);
    for (const char *at = text; *at; at++) {
        static const char special[] = "&<>\"'";
        if (strchr(special, *at))
            buf_format(&out, "&#%d;", *at);
        else
            buf_add_char(&out, *at);
    }
    assert(!out.overflowed);
    return out.data;
}

/* ---- the page that asks ---- */

struct ask_words {
    const char *title, *asks, *with_key, *to, *may, *scopes, *care, *once, *go;
};
static const struct ask_words ask_english = {
    .title = "Give access to",
    .asks = "asks you to connect an account at",
    .with_key = "with the API key",
    .to = "to the workspace",
    .may = "If you go on, and the provider asks for your consent and gets it, Sluice will",
    .scopes = "What the provider is asked for:",
    .care = "Everybody who works in that workspace will see what is read. Go on only if you know "
            "who asks, and expected it; otherwise close this page.",
    .once = "The link works once, until",
    .go = "Continue to",
};
static const struct ask_words ask_french = {
    .title = "Donner accès à",
    .asks = "vous demande de relier un compte chez",
    .with_key = "avec la clé d’API",
    .to = "à l’espace de travail",
    .may = "Si vous continuez et donnez votre accord chez le fournisseur, Sluice pourra",
    .scopes = "Ce qui est demandé au fournisseur :",
    .care = "Toutes les personnes de cet espace verront ce qui est lu. Ne continuez que si vous "
            "connaissez la personne qui demande et si vous vous y attendiez ; sinon, fermez cette "
            "page.",
    .once = "Le lien sert une seule fois, jusqu’au",
    .go = "Continuer vers",
};

/* What a connection is used for. */
static const struct use {
    const char *provider, *role, *english, *french;
} uses[] = {
    {"stripe", "source", "read its charges and refunds, with the customers they belong to.",
     "lire ses paiements et remboursements, avec leurs clients."},
    {"qonto", "target",
     "read its supplier invoices and bank transactions, and add supplier invoices.",
     "lire ses factures fournisseurs et ses transactions bancaires, et ajouter des factures "
     "fournisseurs."},
};

static const char *uses_text(struct request *req, const struct oauth_question *question,
                             bool in_french)
{
    const char *text = "";
    for (size_t i = 0; i < question->roles.n; i++) {
        for (size_t row = 0; row < COUNT(uses); row++) {
            if (text_equal(uses[row].provider, question->provider) &&
                text_equal(uses[row].role, question->roles.at[i]))
                text = arena_format(req->arena, "%s %s", text,
                                    in_french ? uses[row].french : uses[row].english);
        }
    }
    assert(*text);
    return text;
}

static const char *ask_form(struct request *req, const struct oauth_question *question,
                            const struct ask_words *words)
{
    return arena_format(req->arena,
                        "<form method=\"post\" action=\"%s/oauth/%s/start\">"
                        "<input type=\"hidden\" name=\"attempt\" value=\"%s\">"
                        "<input type=\"hidden\" name=\"confirmation\" value=\"%s\">"
                        "<button>%s %s</button></form>",
                        escaped(req, req->app->config->public_url), question->provider,
                        escaped(req, question->attempt), question->confirmation, words->go,
                        question->title);
}

static const char *ask_asker(struct request *req, const struct oauth_asker *asker,
                             const struct ask_words *words)
{
    const char *email = escaped(req, asker->email);
    if (!asker->key_name)
        return arena_format(req->arena, "<strong>%s</strong>", email);
    return arena_format(req->arena, "<strong>%s</strong> (%s “%s”)", email, words->with_key,
                        escaped(req, asker->key_name));
}

enum err oauth_page_ask(struct request *req, const struct oauth_question *question)
{
    bool in_french = text_equal(question->tenant->language, "fr");
    const struct ask_words *words = in_french ? &ask_french : &ask_english;
    char *until = instant_format(req->arena, question->until);
    char *minutes = arena_text_n(req->arena, until, MINUTES_CHARS);
    *strchr(minutes, 'T') = ' ';
    const struct page_text text = {
        .language = in_french ? "fr" : "en",
        .title = arena_format(req->arena, "%s %s", words->title, question->title),
        .body = arena_format(
            req->arena,
            "<h1>%s %s</h1><p>%s %s %s %s <strong>%s</strong>.</p><p>%s%s</p>"
            "<p>%s <code>%s</code></p><p>%s</p>%s<p>%s <time datetime=\"%s\">%s UTC</time>.</p>",
            words->title, question->title, ask_asker(req, question->asker, words), words->asks,
            question->title, words->to, escaped(req, question->tenant->name), words->may,
            uses_text(req, question, in_french), words->scopes,
            escaped(req, question->scope ? question->scope : "-"), words->care,
            ask_form(req, question, words), words->once, until, minutes),
        /* Browsers hold the redirect to the provider to it, too, and where that goes is known only
         * once its server was asked. */
        .form_action = "'self' https:",
    };
    return page_reply(req, 200, &text);
}

/* ---- the pages at the end ---- */

enum err oauth_page_finished(struct request *req, enum oauth_outcome outcome, const char *provider,
                             const char *language)
{
    bool in_french = text_equal(language, "fr");
    const struct words *words = &(in_french ? french : english)[outcome];
    const char *body = arena_format(req->arena, "<h1>%s</h1><p>%s %s</p>", words->title, provider,
                                    words->sentence);
    return page_reply(req, 200,
                      &(struct page_text){in_french ? "fr" : "en", words->title, body, NULL});
}

enum err oauth_page_refused(struct request *req)
{
    return page_reply(req, 400, &(struct page_text){"en", "Sluice", refused, NULL});
}
