#include "base/secret.h"

#include <malloc.h>

struct secret {
    size_t n;
    uint8_t data[];
};

void memory_wipe(void *memory, size_t n)
{
    explicit_bzero(memory, n);
}

void wiping_free(void *memory)
{
    if (memory)
        memory_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

void *wiping_realloc(void *memory, size_t size)
{
    size_t before = memory ? malloc_usable_size(memory) : 0;
    void *moved = malloc(size);
    if (!moved)
        return NULL;
    if (before)
        memcpy(moved, memory, before < size ? before : size);
    wiping_free(memory);
    return moved;
}

static void secret_wipe(void *object)
{
    struct secret *secret = object;
    memory_wipe(secret->data, secret->n);
}

const struct secret *secret_new(struct arena *arena, struct bytes bytes)
{
    struct secret *secret = arena_alloc(arena, sizeof *secret + bytes.n + 1);
    secret->n = bytes.n;
    if (bytes.n)
        memcpy(secret->data, bytes.at, bytes.n);
    arena_defer(arena, secret_wipe, secret);
    return secret;
}

const struct secret *secret_from_text(struct arena *arena, const char *text)
{
    if (!text)
        return NULL;
    return secret_new(arena, (struct bytes){(const uint8_t *)text, strlen(text)});
}

struct bytes secret_bytes(const struct secret *secret)
{
    return (struct bytes){secret->data, secret->n};
}

const char *secret_text(const struct secret *secret)
{
    return (const char *)secret->data;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    if (a->n != b->n)
        return false;
    uint8_t difference = 0;
    for (size_t i = 0; i < a->n; i++)
        difference |= a->data[i] ^ b->data[i];
    return difference == 0;
}
