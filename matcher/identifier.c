/* References and identifiers: canonical forms, and their own check digits. */
#include "base/base.h"

#include "base/buf.h"
#include "base/text.h"
#include "matcher/fold.h"
#include "matcher/normalise.h"
#include "matcher/record.h"

enum {
    IDENTIFIER_BYTES_MAX = 64, /* of the canonical form of an identifier */
    IBAN_BYTES_MAX = 34,
    IBAN_BYTES_MIN = 15,
    RF_BYTES_MIN = 5,
    RF_BYTES_MAX = 25,
    SIREN_DIGITS = 9,
    SIRET_DIGITS = 14
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Upper case, letters and digits only; NULL when nothing or too much is left. */
static const char *alphanumeric(struct arena *arena, const char *raw, size_t bytes_max)
{
    if (!raw)
        return NULL;
    struct buf into = buf_new(arena, bytes_max);
    for (const char *at = text_fold(arena, raw); *at; at++) {
        if (*at >= 'a' && *at <= 'z')
            buf_add_char(&into, (char)(*at - ('a' - 'A')));
        else if (is_digit(*at))
            buf_add_char(&into, *at);
    }
    return into.n == 0 || into.overflowed ? NULL : into.data;
}

const char *reference_normalise(struct arena *arena, const char *raw)
{
    if (!raw)
        return NULL;
    struct buf into = buf_new(arena, (size_t)4 * MATCH_TEXT_BYTES_MAX);
    bool in_number = false;
    const char *folded = text_fold(arena, raw);
    for (const char *at = folded; *at; at++) {
        bool zero_in_front = *at == '0' && !in_number;
        if (*at >= 'a' && *at <= 'z')
            buf_add_char(&into, (char)(*at - ('a' - 'A')));
        else if (is_digit(*at) && !zero_in_front)
            buf_add_char(&into, *at);
        in_number = is_digit(*at) && !zero_in_front;
    }
    if (into.n == 0 && strchr(folded, '0'))
        buf_add_char(&into, '0');
    return into.n == 0 ? NULL : into.data;
}

/* ISO 7064 mod 97-10 over the text with its first four characters moved to the end: 1 when valid.
 */
static bool mod97_valid(const char *text, size_t n)
{
    unsigned remainder = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[(i + 4) % n];
        unsigned value = is_digit(c) ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
        remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
    }
    return remainder == 1;
}

struct iban_length {
    char country[3];
    uint8_t bytes;
};

/* ISO 13616 registry, countries that SEPA and Qonto reach; others by mod 97 alone. */
static const struct iban_length iban_lengths[] = {
    {"AD", 24}, {"AT", 20}, {"BE", 16}, {"BG", 22}, {"CH", 21}, {"CY", 28}, {"CZ", 24}, {"DE", 22},
    {"DK", 18}, {"EE", 20}, {"ES", 24}, {"FI", 18}, {"FR", 27}, {"GB", 22}, {"GI", 23}, {"GR", 27},
    {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IS", 26}, {"IT", 27}, {"LI", 21}, {"LT", 20}, {"LU", 20},
    {"LV", 21}, {"MC", 27}, {"MT", 31}, {"NL", 18}, {"NO", 15}, {"PL", 28}, {"PT", 25}, {"RO", 24},
    {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"VA", 22}};

static bool iban_valid(const char *text)
{
    size_t n = strlen(text);
    if (n < IBAN_BYTES_MIN || n > IBAN_BYTES_MAX || !is_upper(text[0]) || !is_upper(text[1]) ||
        !is_digit(text[2]) || !is_digit(text[3]))
        return false;
    for (size_t i = 0; i < COUNT(iban_lengths); i++) {
        if (strncmp(text, iban_lengths[i].country, 2) == 0 && n != iban_lengths[i].bytes)
            return false;
    }
    return mod97_valid(text, n);
}

static bool rf_valid(const char *text)
{
    size_t n = strlen(text);
    return n >= RF_BYTES_MIN && n <= RF_BYTES_MAX && strncmp(text, "RF", 2) == 0 &&
           is_digit(text[2]) && is_digit(text[3]) && mod97_valid(text, n);
}

static bool luhn_valid(const char *digits, size_t n)
{
    int sum = 0;
    for (size_t i = 0; i < n; i++) {
        int value = digits[n - 1 - i] - '0';
        if (i % 2 == 1)
            value = value * 2 > 9 ? value * 2 - 9 : value * 2;
        sum += value;
    }
    return sum % 10 == 0;
}

static bool digits_only(const char *text, size_t n)
{
    return strlen(text) == n && strspn(text, "0123456789") == n;
}

static bool siren_valid(const char *text)
{
    return digits_only(text, SIREN_DIGITS) && luhn_valid(text, SIREN_DIGITS);
}

/* Establishments of La Poste (SIREN 356000000) are numbered so that the digits sum to a multiple
 * of five. */
static bool siret_valid(const char *text)
{
    if (!digits_only(text, SIRET_DIGITS) || !luhn_valid(text, SIREN_DIGITS))
        return false;
    if (luhn_valid(text, SIRET_DIGITS))
        return true;
    int sum = 0;
    for (size_t i = 0; i < SIRET_DIGITS; i++)
        sum += text[i] - '0';
    return strncmp(text, "356000000", SIREN_DIGITS) == 0 && sum % 5 == 0;
}

/* After the country: d a digit, a a letter, x either; a shape may occur several times. */
struct vat_shape {
    const char *country;
    const char *shape;
};

static const struct vat_shape vat_shapes[] = {
    {"AT", "addddddddd"},   {"BE", "dddddddddd"},   {"BG", "ddddddddd"},   {"BG", "dddddddddd"},
    {"CHE", "ddddddddd"},   {"CY", "dddddddda"},    {"CZ", "dddddddd"},    {"CZ", "ddddddddd"},
    {"CZ", "dddddddddd"},   {"DE", "ddddddddd"},    {"DK", "dddddddd"},    {"EE", "ddddddddd"},
    {"EL", "ddddddddd"},    {"ES", "xdddddddx"},    {"FI", "dddddddd"},    {"FR", "xxddddddddd"},
    {"GB", "ddddddddd"},    {"GB", "dddddddddddd"}, {"HR", "ddddddddddd"}, {"HU", "dddddddd"},
    {"IE", "dxddddda"},     {"IE", "dddddddaa"},    {"IT", "ddddddddddd"}, {"LT", "ddddddddd"},
    {"LT", "dddddddddddd"}, {"LU", "dddddddd"},     {"LV", "ddddddddddd"}, {"MT", "dddddddd"},
    {"NL", "xxxxxxxxxxxx"}, {"NO", "ddddddddd"},    {"PL", "dddddddddd"},  {"PT", "ddddddddd"},
    {"RO", "dddddddd"},     {"RO", "ddddddddd"},    {"RO", "dddddddddd"},  {"SE", "dddddddddddd"},
    {"SI", "dddddddd"},     {"SK", "dddddddddd"},   {"XI", "ddddddddd"}};

static bool shape_fits(const char *text, const char *shape)
{
    if (strlen(text) != strlen(shape))
        return false;
    for (; *shape; text++, shape++) {
        if ((*shape == 'd' && !is_digit(*text)) || (*shape == 'a' && !is_upper(*text)))
            return false;
    }
    return true;
}

/* The key of a French VAT number is (12 + 3 × (SIREN mod 97)) mod 97, when it is of digits. */
static bool french_key_valid(const char *text)
{
    const char *siren = text + 4;
    if (!siren_valid(siren))
        return false;
    if (!is_digit(text[2]) || !is_digit(text[3]))
        return true;
    int64_t number = 0;
    if (!int64_parse(siren[0] == '0' ? siren + strspn(siren, "0") : siren, 0, 999999999, &number))
        return false;
    return (12 + 3 * (number % 97)) % 97 == (text[2] - '0') * 10 + (text[3] - '0');
}

static bool vat_valid(const char *text)
{
    for (size_t i = 0; i < COUNT(vat_shapes); i++) {
        size_t prefix = strlen(vat_shapes[i].country);
        if (strncmp(text, vat_shapes[i].country, prefix) == 0 &&
            shape_fits(text + prefix, vat_shapes[i].shape))
            return strncmp(text, "FR", 2) != 0 || french_key_valid(text);
    }
    return false;
}

static bool all_zeros(const char *text)
{
    return text[strspn(text, "0")] == '\0';
}

enum identifier_kind identifier_classify(const char *raw)
{
    struct arena *arena = arena_open();
    const char *text = alphanumeric(arena, raw, IDENTIFIER_BYTES_MAX);
    enum identifier_kind kind = IDENTIFIER_NONE;
    if (text && !all_zeros(text)) {
        kind = rf_valid(text)      ? IDENTIFIER_RF
               : iban_valid(text)  ? IDENTIFIER_IBAN
               : vat_valid(text)   ? IDENTIFIER_VAT
               : siren_valid(text) ? IDENTIFIER_SIREN
               : siret_valid(text) ? IDENTIFIER_SIRET
                                   : IDENTIFIER_NONE;
    }
    arena_close(arena);
    return kind;
}

const char *iban_normalise(struct arena *arena, const char *raw)
{
    const char *text = alphanumeric(arena, raw, IDENTIFIER_BYTES_MAX);
    return text && iban_valid(text) ? text : NULL;
}

const char *vat_normalise(struct arena *arena, const char *raw)
{
    const char *text = alphanumeric(arena, raw, IDENTIFIER_BYTES_MAX);
    return text && vat_valid(text) ? text : NULL;
}

const char *siren_normalise(struct arena *arena, const char *raw)
{
    const char *text = alphanumeric(arena, raw, IDENTIFIER_BYTES_MAX);
    if (!text || all_zeros(text))
        return NULL;
    if (siren_valid(text))
        return text;
    if (siret_valid(text))
        return arena_text_n(arena, text, SIREN_DIGITS);
    if (strncmp(text, "FR", 2) == 0 && vat_valid(text))
        return text + 4;
    return NULL;
}

static bool domain_char(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '.';
}

const char *email_domain(struct arena *arena, const char *raw)
{
    if (!raw)
        return NULL;
    const char *folded = text_fold(arena, raw);
    const char *at = strrchr(folded, '@');
    if (!at || at == folded)
        return NULL;
    size_t n = 0;
    while (domain_char(at[1 + n]))
        n++;
    const char *domain = arena_text_n(arena, at + 1, n);
    const char *dot = strrchr(domain, '.');
    bool ends_well = at[1 + n] == '\0' || at[1 + n] == '>' || at[1 + n] == ' ';
    return ends_well && dot && dot != domain && dot[1] != '\0' ? domain : NULL;
}

bool email_domain_is_public(const char *domain)
{
    static const char *const list[] = {
        "aol.com",    "bbox.fr",        "bluewin.ch",     "example.com", "free.fr",
        "freenet.de", "gmail.com",      "gmx.at",         "gmx.ch",      "gmx.de",
        "gmx.fr",     "gmx.net",        "googlemail.com", "hey.com",     "hotmail.com",
        "hotmail.fr", "icloud.com",     "laposte.net",    "libero.it",   "live.com",
        "live.fr",    "mac.com",        "mail.com",       "me.com",      "msn.com",
        "neuf.fr",    "numericable.fr", "orange.fr",      "outlook.com", "outlook.fr",
        "pm.me",      "proton.me",      "protonmail.com", "sfr.fr",      "t-online.de",
        "telenet.be", "wanadoo.fr",     "web.de",         "yahoo.com",   "yahoo.fr",
        "ymail.com"};
    for (size_t i = 0; i < COUNT(list); i++) {
        if (strcmp(domain, list[i]) == 0)
            return true;
    }
    return false;
}
