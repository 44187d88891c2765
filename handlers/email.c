#include "handlers/email.h"

/* ASCII only: two addresses that look alike are two persons, and no mail tells them apart. */
static bool atom_byte(char c)
{
    return c > 0x20 && c < 0x7f && !strchr("\"(),:;<>@[\\]", c);
}

static bool domain_valid(const char *domain)
{
    size_t n = strspn(domain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
    const char *dot = strrchr(domain, '.');
    return n > 0 && domain[n] == '\0' && dot && dot != domain && dot[1] && domain[0] != '.' &&
           domain[0] != '-' && !strstr(domain, "..");
}

static bool email_valid(const char *email)
{
    size_t n = 0;
    while (email[n] && atom_byte(email[n]))
        n++;
    return n > 0 && n <= 64 && email[n] == '@' && strlen(email) <= EMAIL_BYTES_MAX &&
           email[0] != '.' && email[n - 1] != '.' && domain_valid(email + n + 1);
}

enum err email_check(struct arena *arena, const char *field, const char *email)
{
    return email_valid(email) ? OK
                              : arena_fail(arena, ERR_FIELD_INVALID, field,
                                           "Expected an e-mail address like ada@example.com.");
}

char *email_lower(struct arena *arena, const char *email)
{
    char *lower = arena_text(arena, email);
    for (char *at = lower; *at; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    return lower;
}
