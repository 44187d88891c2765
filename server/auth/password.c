#include "auth/password.h"

#include "base/text.h"

enum { DISTINCT_MIN = 5, NAME_PART_BYTES_MIN = 5 };

/* Words that long passwords of the well-known lists are made of: what is left when they, digits and
 * punctuation are taken away must still be worth something. */
static const char *const common_words[] = {
    "password", "passwort", "motdepasse", "qwertyuiop", "azertyuiop",    "qwerty",       "azerty",
    "letmein",  "welcome",  "bienvenue",  "iloveyou",   "administrator", "admin",        "monkey",
    "dragon",   "football", "baseball",   "sunshine",   "princess",      "abcdefghijkl", "abc",
    "sluice",   "changeme", "secret",     "trustno",    "superman",      "master",       "hello",
};

static enum err refuse(struct arena *arena, const char *why)
{
    return arena_fail(arena, ERR_FIELD_INVALID, "password", "%s", why);
}

static size_t distinct_bytes(const char *text)
{
    bool seen[256] = {false};
    size_t count = 0;
    for (; *text; text++) {
        count += !seen[(unsigned char)*text];
        seen[(unsigned char)*text] = true;
    }
    return count;
}

/* Each byte one above or one below the byte before: 123456789012, abcdefghijkl. */
static bool one_run(const char *text)
{
    size_t steps = 0, n = strlen(text);
    for (size_t i = 1; i < n; i++) {
        int step = text[i] - text[i - 1];
        steps += step == 1 || step == -1 || step == 9 || step == -9 || step == 0;
    }
    return n > 1 && steps >= n - 2;
}

/* Bytes that neither are common words nor digits or punctuation. */
static size_t uncommon_bytes(const char *text)
{
    size_t left = 0;
    while (*text) {
        size_t skip = 0;
        for (size_t i = 0; i < COUNT(common_words) && !skip; i++) {
            size_t n = strlen(common_words[i]);
            skip = strncasecmp(text, common_words[i], n) == 0 ? n : 0;
        }
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                      (unsigned char)*text >= 0x80;
        left += !skip && letter;
        text += skip ? skip : 1;
    }
    return left;
}

static bool common(const char *text)
{
    bool worded = false;
    for (size_t i = 0; i < COUNT(common_words); i++)
        worded = worded || text_contains_ci(text, common_words[i]);
    return worded && uncommon_bytes(text) < 4;
}

static bool about_the_person(struct arena *arena, const char *text, const char *email,
                             const char *name)
{
    const char *local = email ? arena_text_n(arena, email, strcspn(email, "@")) : NULL;
    return (local && strlen(local) >= NAME_PART_BYTES_MIN && text_contains_ci(text, local)) ||
           (name && strlen(name) >= NAME_PART_BYTES_MIN && text_contains_ci(text, name));
}

enum err password_check(struct arena *arena, const struct secret *password, const char *email,
                        const char *name)
{
    const char *text = secret_text(password);
    size_t n = secret_bytes(password).n;
    if (n < PASSWORD_BYTES_MIN || n > PASSWORD_BYTES_MAX)
        return arena_fail(arena, ERR_FIELD_INVALID, "password", "Take %d to %d characters.",
                          PASSWORD_BYTES_MIN, PASSWORD_BYTES_MAX);
    if (!utf8_valid(text, n))
        return refuse(arena, "The password is no valid UTF-8 text.");
    if (distinct_bytes(text) < DISTINCT_MIN || one_run(text) || common(text))
        return refuse(arena, "This password is among the first that anybody would try.");
    if (about_the_person(arena, text, email, name))
        return refuse(arena, "The password must not hold your name or address.");
    return OK;
}
