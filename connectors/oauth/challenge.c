#include <ctype.h>

#include "connectors/oauth/oauth.h"

#include "base/text.h"

/* RFC 9110 §11.6.1 lets one header hold several challenges, divided by the same comma that divides
 * parameters: a word that is followed by "=" is a parameter, any other starts a challenge. Real
 * servers also leave out the quotes of values that need them; a bare value ends at a comma or a
 * blank. */
struct reader {
    const char *at;
    struct arena *arena;
};

static bool token_char(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip(struct reader *reader, const char *characters)
{
    reader->at += strspn(reader->at, characters);
}

static char *read_token(struct reader *reader)
{
    const char *from = reader->at;
    while (token_char(*reader->at))
        reader->at++;
    return arena_text_n(reader->arena, from, (size_t)(reader->at - from));
}

static char *read_quoted(struct reader *reader)
{
    char *value = arena_alloc(reader->arena, strlen(reader->at) + 1);
    size_t n = 0;
    reader->at++;
    while (*reader->at && *reader->at != '"') {
        if (reader->at[0] == '\\' && reader->at[1])
            reader->at++;
        value[n++] = *reader->at++;
    }
    reader->at += *reader->at == '"';
    return value;
}

static char *read_value(struct reader *reader)
{
    if (*reader->at == '"')
        return read_quoted(reader);
    size_t n = strcspn(reader->at, ", \t");
    char *value = arena_text_n(reader->arena, reader->at, n);
    reader->at += n;
    return value;
}

static void parameter_take(struct oauth_challenge *challenge, const char *name, const char *value)
{
    if (strcasecmp(name, "resource_metadata") == 0)
        challenge->resource_metadata = value;
    else if (strcasecmp(name, "scope") == 0)
        challenge->scope = value;
    else if (strcasecmp(name, "error") == 0)
        challenge->error = value;
}

/* The first Bearer challenge of a header. */
static bool header_read(struct reader *reader, struct oauth_challenge *into)
{
    bool bearer = false;
    for (skip(reader, ", \t"); *reader->at; skip(reader, ", \t")) {
        char *word = read_token(reader);
        if (word[0] == '\0') { /* nothing that belongs here: go on behind it */
            reader->at++;
            continue;
        }
        const char *behind = reader->at + strspn(reader->at, " \t");
        if (*behind == '=' && behind[1] != '=') {
            reader->at = behind + 1;
            skip(reader, " \t");
            char *value = read_value(reader);
            if (bearer)
                parameter_take(into, word, value);
        } else if (bearer) {
            return true;
        } else {
            bearer = strcasecmp(word, "Bearer") == 0;
        }
    }
    return bearer;
}

bool oauth_challenge_parse(struct arena *arena, const struct http_answer *answer,
                           struct oauth_challenge *into)
{
    *into = (struct oauth_challenge){0};
    const char *header;
    for (size_t n = 0; (header = http_answer_header(answer, "www-authenticate", n)); n++) {
        struct reader reader = {.at = header, .arena = arena};
        if (header_read(&reader, into))
            return true;
    }
    return false;
}
