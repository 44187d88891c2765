#include "base/base.h"

#include "handlers/oauth_page.h"

#include "base/text.h"

enum { PAGE_BYTES_MAX = 8 * 1024 };

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
    "<p>It was used already, is older than 15 minutes, or belongs to another browser. Go back and "
    "start the connection again.</p>"
    "<h1 lang=\"fr\">Ce lien n’est plus utilisable</h1>"
    "<p lang=\"fr\">Il a déjà servi, date de plus de 15 minutes ou appartient à un autre "
    "navigateur. Revenez en arrière et recommencez la connexion.</p>";

const char *oauth_outcome_name(enum oauth_outcome outcome)
{
    return names[outcome];
}

static enum err page_reply(struct request *req, int status, const char *language, const char *title,
                           const char *body)
{
    struct buf page = buf_new(req->arena, PAGE_BYTES_MAX);
    buf_format(&page,
               "<!doctype html><html lang=\"%s\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width\"><title>%s</title><style>"
               "body{font:18px/1.5 system-ui,sans-serif;max-width:32em;margin:15vh auto;"
               "padding:0 1.5em;color:#1d2733;background:#f7f8fa}h1{font-size:1.4em}</style>"
               "</head><body>%s</body></html>",
               language, title, body);
    assert(!page.overflowed);
    reply_field(req, "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    TRY(reply_bytes(req, "text/html; charset=utf-8", buf_bytes(&page)));
    req->reply->status = status;
    return OK;
}

enum err oauth_page_finished(struct request *req, enum oauth_outcome outcome, const char *provider,
                             const char *language)
{
    bool in_french = text_equal(language, "fr");
    const struct words *words = &(in_french ? french : english)[outcome];
    const char *body = arena_format(req->arena, "<h1>%s</h1><p>%s %s</p>", words->title, provider,
                                    words->sentence);
    return page_reply(req, 200, in_french ? "fr" : "en", words->title, body);
}

enum err oauth_page_refused(struct request *req)
{
    return page_reply(req, 400, "en", "Sluice", refused);
}
