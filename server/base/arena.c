#include "base/arena.h"

#include "base/secret.h"

enum { BLOCK_BYTES = 32 * 1024, ALIGNMENT = 16 };

#if defined(__SANITIZE_ADDRESS__)
#define EVERY_ALLOCATION_ALONE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EVERY_ALLOCATION_ALONE 1
#endif
#endif
#ifndef EVERY_ALLOCATION_ALONE
#define EVERY_ALLOCATION_ALONE 0
#endif

struct block {
    struct block *next;
    size_t size;
    size_t used;
    max_align_t data[];
};

struct deferred {
    struct deferred *next;
    void (*release)(void *object);
    void *object;
};

struct arena {
    struct block *blocks;
    struct deferred *deferred;
    size_t used;
    struct failure failure;
};

static void *memory_or_die(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory) {
        fputs("{\"level\":\"fatal\",\"event\":\"memory.exhausted\"}\n", stderr);
        abort();
    }
    return memory;
}

struct arena *arena_open(void)
{
    return memory_or_die(sizeof(struct arena));
}

static void run_deferred(struct arena *arena)
{
    while (arena->deferred) {
        struct deferred *first = arena->deferred;
        arena->deferred = first->next;
        first->release(first->object);
    }
}

static void free_blocks(struct block *block)
{
    while (block) {
        struct block *next = block->next;
        memory_wipe(block->data, block->used);
        free(block);
        block = next;
    }
}

void arena_reset(struct arena *arena)
{
    run_deferred(arena);
    struct block *keep = arena->blocks;
    bool keepable = !EVERY_ALLOCATION_ALONE && keep && keep->size == BLOCK_BYTES;
    free_blocks(keepable ? keep->next : keep);
    if (keepable) {
        keep->next = NULL;
        memset(keep->data, 0, keep->used);
        keep->used = 0;
    }
    arena->blocks = keepable ? keep : NULL;
    arena->used = 0;
    arena->failure = (struct failure){0};
}

void arena_close(struct arena *arena)
{
    if (!arena)
        return;
    run_deferred(arena);
    free_blocks(arena->blocks);
    free(arena);
}

static struct block *block_for(struct arena *arena, size_t size)
{
    struct block *first = arena->blocks;
    if (!EVERY_ALLOCATION_ALONE && first && first->size - first->used >= size)
        return first;
    size_t room = EVERY_ALLOCATION_ALONE || size > BLOCK_BYTES / 4 ? size : BLOCK_BYTES;
    struct block *block = memory_or_die(sizeof(struct block) + room);
    block->size = room;
    if (first && room != BLOCK_BYTES) { /* a large one goes behind the block in use */
        block->next = first->next;
        first->next = block;
    } else {
        block->next = first;
        arena->blocks = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    assert(size < (size_t)1 << 40);
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (EVERY_ALLOCATION_ALONE)
        rounded = size ? size : 1;
    struct block *block = block_for(arena, rounded);
    uint8_t *at = (uint8_t *)block->data + block->used;
    block->used += rounded;
    arena->used += size;
    return at;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        abort();
    return arena_alloc(arena, bytes);
}

void *arena_copy(struct arena *arena, const void *from, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size)
        memcpy(copy, from, size);
    return copy;
}

char *arena_text_n(struct arena *arena, const char *text, size_t n)
{
    char *copy = arena_alloc(arena, n + 1);
    if (n)
        memcpy(copy, text, n);
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return text ? arena_text_n(arena, text, strlen(text)) : NULL;
}

char *arena_vformat(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    assert(n >= 0);
    char *text = arena_alloc(arena, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vformat(arena, format, args);
    va_end(args);
    return text;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

void arena_defer(struct arena *arena, void (*release)(void *object), void *object)
{
    struct deferred *deferred = arena_alloc(arena, sizeof *deferred);
    *deferred = (struct deferred){arena->deferred, release, object};
    arena->deferred = deferred;
}

enum err arena_fail(struct arena *arena, enum err code, const char *field, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    arena->failure = (struct failure){
        .code = code,
        .field = arena_text(arena, field),
        .detail = arena_vformat(arena, format, args),
    };
    va_end(args);
    return code;
}

enum err arena_fail_retry(struct arena *arena, enum err code, int64_t retry_after_s,
                          const char *format, ...)
{
    va_list args;
    va_start(args, format);
    arena->failure = (struct failure){
        .code = code,
        .detail = arena_vformat(arena, format, args),
        .retry_after_s = retry_after_s,
    };
    va_end(args);
    return code;
}

const struct failure *arena_failure(const struct arena *arena)
{
    return &arena->failure;
}

void arena_failure_clear(struct arena *arena)
{
    arena->failure = (struct failure){0};
}

enum err arena_failure_move(struct arena *into, const struct arena *from, enum err code)
{
    const struct failure *failure = &from->failure;
    into->failure = (struct failure){
        .code = code,
        .field = arena_text(into, failure->field),
        .detail = arena_text(into, failure->detail ? failure->detail : err_sentence(code)),
        .retry_after_s = failure->retry_after_s,
    };
    return code;
}
