/* Normalisation, versioned: what is stored beside a record or an entry (core_name, reference_norm)
 * comes from here and nowhere else. NORM_VERSION changes with the tables and the code; whoever
 * stores a normalised text stores the version beside it and rebuilds when it differs. Unicode keeps
 * case folding and decomposition of assigned characters for ever, so ICU has no part in it except
 * for scripts that need its transliterator.
 *
 * A name: UTF-8 check, ASCII fast path or ICU (NFKC_Casefold, NFD, marks stripped, Latin letters
 * that do not decompose), transliteration only for scripts that are not Latin; `&`, et, und, y, and
 * become one word; dotted initials are glued (S.A.R.L. = sarl); bank and payment-provider
 * descriptors are split off; legal forms are tagged by the longest match of a table, not deleted,
 * unless nothing else is left, when they stay part of the core. */
#ifndef SLUICE_MATCHER_NORMALISE_H
#define SLUICE_MATCHER_NORMALISE_H

#include "base/arena.h"

#define NORM_VERSION "1"

enum {
    NAME_TOKENS_MAX = 24 /* later words of a longer name are not looked at */
};

enum token_kind {
    TOKEN_WORD,
    TOKEN_NUMBER,  /* digits only: two different numbers speak against a match */
    TOKEN_ORDINAL, /* first, 2nd, ii */
    TOKEN_COMMON   /* a stop word or a company word (group, holding): says little */
};

struct name_token {
    const char *text;
    size_t n;
    enum token_kind kind;
};

struct name_form {
    const char *core;       /* tokens joined by one space; "" when the name is absent */
    const char *compact;    /* the core without spaces */
    const char *legal;      /* canonical legal form ("sarl", "gmbh"); "" when there is none */
    const char *class_name; /* its generic class ("LLC", "JSC"); "" when unknown */
    const char *descriptor; /* what banks and payment providers put around the name; "" when none */
    const struct name_token *tokens;
    size_t token_count;
};

/* Never fails: bytes that are not UTF-8 count as separators. `raw` may be NULL. */
struct name_form name_normalise(struct arena *arena, const char *raw);

/* The core alone, to be stored as core_name; NULL when the name is absent. */
const char *name_core(struct arena *arena, const char *raw);

/* A reference as it is compared and stored (reference_norm): upper case, letters and digits only,
 * zeros at the start of every run of digits dropped ("2026-0012" is "202612"). NULL when it has
 * neither letters nor digits. */
const char *reference_normalise(struct arena *arena, const char *raw);

/* What a reference or an identifier turned out to be, by its own check digits. */
enum identifier_kind {
    IDENTIFIER_NONE,  /* nothing that can be validated */
    IDENTIFIER_RF,    /* ISO 11649 creditor reference */
    IDENTIFIER_IBAN,  /* ISO 13616, mod 97, length of the country where it is known */
    IDENTIFIER_VAT,   /* shape of an EU, GB, CH or NO VAT number; a French one also by its key */
    IDENTIFIER_SIREN, /* nine digits, Luhn */
    IDENTIFIER_SIRET  /* fourteen digits, Luhn (or La Poste's rule) */
};

enum identifier_kind identifier_classify(const char *raw);

/* Canonical form (upper case, no separators) when valid, else NULL. */
const char *iban_normalise(struct arena *arena, const char *raw);
const char *vat_normalise(struct arena *arena, const char *raw);
/* SIREN; of a SIRET or a French VAT number, the SIREN inside. */
const char *siren_normalise(struct arena *arena, const char *raw);

/* The part after the @, lower case; NULL when it is no address. */
const char *email_domain(struct arena *arena, const char *raw);
/* Mailboxes for everybody (gmail.com, orange.fr): their domain says nothing about a company. */
bool email_domain_is_public(const char *domain);

#endif
