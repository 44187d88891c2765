#include "base/base.h"

#include "connectors/attempt.h"

char *authorisation_write(struct arena *arena, const struct authorisation *authorisation)
{
    json_t *object = json_pack(
        "{s:s*, s:b, s:b, s:s*, s:s*, s:s*, s:s*, s:s*}", "issuer", authorisation->issuer,
        "iss_expected", (int)authorisation->iss_expected, "basic_auth",
        (int)authorisation->basic_auth, "client_id", authorisation->client_id, "token_endpoint",
        authorisation->token_endpoint, "revocation_endpoint", authorisation->revocation_endpoint,
        "resource", authorisation->resource, "scope", authorisation->scope);
    assert(object); /* texts were read as JSON or are our own: valid UTF-8 */
    return json_write(arena, json_keep(arena, object));
}

enum err authorisation_read(struct arena *arena, const char *stored, struct authorisation *into)
{
    json_t *object = NULL;
    *into = (struct authorisation){0};
    if (!stored)
        return OK;
    TRY(json_parse(arena, (struct bytes){(const uint8_t *)stored, strlen(stored)}, &object));
    *into = (struct authorisation){
        .issuer = json_text(object, "issuer"),
        .iss_expected = json_bool(object, "iss_expected", false),
        .basic_auth = json_bool(object, "basic_auth", false),
        .client_id = json_text(object, "client_id"),
        .token_endpoint = json_text(object, "token_endpoint"),
        .revocation_endpoint = json_text(object, "revocation_endpoint"),
        .resource = json_text(object, "resource"),
        .scope = json_text(object, "scope"),
    };
    return OK;
}
