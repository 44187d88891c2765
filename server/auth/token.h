/* Opaque tokens: a prefix that says what they are (for people and for secret scanners) and 256
 * random bits. Only the SHA-256 of the whole text is stored: with so much randomness it needs
 * neither salt nor stretching. */
#ifndef SLUICE_TOKEN_H
#define SLUICE_TOKEN_H

#include "base/secret.h"

enum token_kind {
    TOKEN_REFRESH,    /* srt_: rotates at every use; a second use of one ends its session */
    TOKEN_INVITATION, /* sit_ */
    TOKEN_API_KEY,    /* sak_ */
    TOKEN_HOOK,       /* shk_: in the path of a provider hook */
};

enum { TOKEN_HASH_BYTES = 32, TOKEN_HINT_CHARS = 10 };

struct token {
    const struct secret *text; /* shown once */
    struct bytes hash;         /* stored */
    const char *hint;          /* the first characters, by which people tell keys apart */
};

void token_new(struct arena *arena, enum token_kind kind, struct token *into);
/* False, without a hash, for a text that cannot be a token of this kind. */
bool token_hash(struct arena *arena, enum token_kind kind, const char *text, struct bytes *into);

#endif
