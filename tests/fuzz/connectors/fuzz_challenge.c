/* Any WWW-Authenticate header is read without a fault, and what is found is a text of it. */
#include "base/base.h"

#include "connectors/oauth/oauth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_open();
    struct http_header header = {.name = "www-authenticate",
                                 .value = arena_text_n(arena, (const char *)data, size)};
    const struct http_answer answer = {.headers = &header, .header_count = 1};
    struct oauth_challenge challenge;
    bool bearer = oauth_challenge_parse(arena, &answer, &challenge);
    assert(bearer || !challenge.resource_metadata);
    assert(!challenge.scope || strlen(challenge.scope) <= size);
    arena_close(arena);
    return 0;
}
