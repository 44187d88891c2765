#include "http/json_in.h"

#include "base/text.h"
#include "http/json_place.h"
#include "http/router.h"

/* One value on its way into a struct. */
struct slot {
    struct arena *arena;
    const struct input_field *field;
    const struct json_place *place; /* NULL: a parameter of a query */
    void *at;                       /* the member */
};

static enum err read_object(struct arena *arena, const json_t *object,
                            const struct json_place *place, const struct input_field *fields,
                            size_t count, void *into);

static char *words_text(struct arena *arena, const char *const *words)
{
    struct buf text = buf_new(arena, 4096);
    for (; *words; words++)
        buf_format(&text, "%s%s", text.n ? ", " : "", *words);
    return text.data;
}

static char *expectation(struct arena *arena, const struct input_field *field)
{
    int64_t min = field->min, max = field->max;
    switch (field->type) {
    case INPUT_TEXT:
    case INPUT_NOTE:
        return arena_format(arena, "text of %" PRId64 " to %" PRId64 " characters", min, max);
    case INPUT_SECRET:
        return arena_format(arena, "text of %" PRId64 " to %" PRId64 " bytes", min, max);
    case INPUT_INT:
        return arena_format(arena, "a whole number from %" PRId64 " to %" PRId64, min, max);
    case INPUT_MILLIONTHS:
        return arena_format(arena, "a number from %g to %g", (double)min / 1e6, (double)max / 1e6);
    case INPUT_BOOL:
        return arena_text(arena, "true or false");
    case INPUT_UUID:
        return arena_text(arena, "a UUID");
    case INPUT_DATE:
        return arena_text(arena, "a date like 2026-11-20");
    case INPUT_INSTANT:
        return arena_text(arena, "an instant like 2026-11-20T10:22:23Z");
    case INPUT_WORD:
        return arena_format(arena, "one of %s", words_text(arena, field->words));
    case INPUT_DECIMAL:
        return arena_format(arena, "decimal text with at most %" PRId64 " digits after the point",
                            max);
    case INPUT_TEXTS:
        return arena_format(arena, "a list of %" PRId64 " to %" PRId64 " texts", min, max);
    case INPUT_UUIDS:
        return arena_format(arena, "a list of %" PRId64 " to %" PRId64 " UUIDs", min, max);
    case INPUT_ARRAY:
        return arena_format(arena, "a list of %" PRId64 " to %" PRId64 " objects", min, max);
    case INPUT_OBJECT:
        return arena_text(arena, "an object");
    case INPUT_JSON:
        return arena_format(arena, "an object of at most %" PRId64 " bytes", max);
    }
    return NULL;
}

static enum err refuse(const struct slot *slot)
{
    char *expected = expectation(slot->arena, slot->field);
    if (!slot->place)
        return arena_fail(slot->arena, ERR_PARAMETER_INVALID, slot->field->name, "Expected %s.",
                          expected);
    return arena_fail(slot->arena, ERR_FIELD_INVALID, json_place_text(slot->arena, slot->place),
                      "Expected %s.", expected);
}

static bool printable(const char *text, bool lines)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool layout = lines && (c == '\n' || c == '\r' || c == '\t');
        if ((c < 0x20 && !layout) || c == 0x7f)
            return false;
    }
    return true;
}

static bool text_fits(const char *text, int64_t min, int64_t max)
{
    size_t n = utf8_length(text);
    return n >= (uint64_t)min && n <= (uint64_t)max && (min == 0 || !text_blank(text));
}

/* -?digits[.digits], no more digits than an amount can have */
static bool decimal_fits(const char *text, int64_t fraction_digits_max)
{
    const char *at = text + (*text == '-');
    size_t whole = strspn(at, "0123456789");
    at += whole;
    size_t fraction = 0;
    if (*at == '.') {
        fraction = strspn(++at, "0123456789");
        if (fraction == 0)
            return false;
        at += fraction;
    }
    return *at == '\0' && whole > 0 && whole + fraction <= DECIMAL_DIGITS_MAX &&
           fraction <= (uint64_t)fraction_digits_max;
}

static bool word_index(const char *const *words, const char *text, int *into)
{
    for (int i = 0; words[i]; i++) {
        if (text_equal(words[i], text)) {
            *into = i;
            return true;
        }
    }
    return false;
}

static void set_text(const struct slot *slot, const char *text)
{
    *(const char **)slot->at = arena_text(slot->arena, text);
}

static bool set_secret(const struct slot *slot, const char *text)
{
    size_t n = strlen(text);
    if (n < (uint64_t)slot->field->min || n > (uint64_t)slot->field->max)
        return false;
    *(const struct secret **)slot->at = secret_from_text(slot->arena, text);
    return true;
}

/* Zero means "none" to whoever reads the struct. Who sends it must not be taken to have sent
 * nothing: a key that expires at the epoch is not one that never does. */
static bool set_uuid(const char *text, struct uuid *into)
{
    struct uuid uuid;
    if (!uuid_parse(text, &uuid) || uuid_is_nil(uuid))
        return false;
    *into = uuid;
    return true;
}

static bool set_instant(const char *text, struct instant *into)
{
    struct instant instant;
    if (!instant_parse(text, &instant) || instant.us == 0)
        return false;
    *into = instant;
    return true;
}

/* Types whose form is text, in bodies and in queries alike. */
static bool set_from_text(const struct slot *slot, const char *text)
{
    const struct input_field *field = slot->field;
    bool good = false;
    switch (field->type) {
    case INPUT_TEXT:
    case INPUT_NOTE:
        good =
            text_fits(text, field->min, field->max) && printable(text, field->type == INPUT_NOTE);
        break;
    case INPUT_DECIMAL:
        good = decimal_fits(text, field->max);
        break;
    case INPUT_SECRET:
        return set_secret(slot, text);
    case INPUT_UUID:
        return set_uuid(text, slot->at);
    case INPUT_DATE:
        return date_parse(text, slot->at);
    case INPUT_INSTANT:
        return set_instant(text, slot->at);
    case INPUT_WORD:
        return word_index(field->words, text, slot->at);
    case INPUT_INT:
    case INPUT_MILLIONTHS:
    case INPUT_BOOL:
    case INPUT_TEXTS:
    case INPUT_UUIDS:
    case INPUT_OBJECT:
    case INPUT_ARRAY:
    case INPUT_JSON:
        return false;
    }
    if (good)
        set_text(slot, text);
    return good;
}

static bool set_int(const struct slot *slot, int64_t value)
{
    if (value < slot->field->min || value > slot->field->max)
        return false;
    memcpy(slot->at, &value, sizeof value);
    return true;
}

static bool set_millionths(const struct slot *slot, double value)
{
    double millionths = value * 1e6;
    bool small = millionths >= -1e15 && millionths <= 1e15;
    return small && set_int(slot, (int64_t)(millionths < 0 ? millionths - 0.5 : millionths + 0.5));
}

static bool count_fits(const struct slot *slot, const json_t *list)
{
    return json_is_array(list) && json_array_size(list) >= (uint64_t)slot->field->min &&
           json_array_size(list) <= (uint64_t)slot->field->max;
}

static enum err read_texts(const struct slot *slot, const json_t *list)
{
    size_t n = json_array_size(list);
    struct input_texts texts = {arena_array(slot->arena, n, sizeof(char *)), n};
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        struct json_place place = {slot->place, NULL, i};
        if (!text || !text_fits(text, 1, TEXTS_ELEMENT_MAX) || !printable(text, false))
            return arena_fail(slot->arena, ERR_FIELD_INVALID, json_place_text(slot->arena, &place),
                              "Expected text of 1 to %d characters.", TEXTS_ELEMENT_MAX);
        texts.at[i] = arena_text(slot->arena, text);
    }
    memcpy(slot->at, &texts, sizeof texts);
    return OK;
}

static enum err read_uuids(const struct slot *slot, const json_t *list)
{
    size_t n = json_array_size(list);
    struct input_uuids uuids = {arena_array(slot->arena, n, sizeof(struct uuid)), n};
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        struct json_place place = {slot->place, NULL, i};
        if (!text || !set_uuid(text, &uuids.at[i]))
            return arena_fail(slot->arena, ERR_FIELD_INVALID, json_place_text(slot->arena, &place),
                              "Expected a UUID.");
    }
    memcpy(slot->at, &uuids, sizeof uuids);
    return OK;
}

static enum err read_objects(const struct slot *slot, const json_t *list)
{
    const struct input_field *field = slot->field;
    size_t n = json_array_size(list);
    struct input_array array = {arena_array(slot->arena, n, field->element_size), n};
    for (size_t i = 0; i < n; i++) {
        struct json_place place = {slot->place, NULL, i};
        TRY(read_object(slot->arena, json_array_get(list, i), &place, field->fields,
                        field->field_count, (uint8_t *)array.at + i * field->element_size));
    }
    memcpy(slot->at, &array, sizeof array);
    return OK;
}

static enum err read_list(const struct slot *slot, const json_t *value)
{
    if (!count_fits(slot, value))
        return refuse(slot);
    if (slot->field->type == INPUT_TEXTS)
        return read_texts(slot, value);
    return slot->field->type == INPUT_UUIDS ? read_uuids(slot, value) : read_objects(slot, value);
}

static enum err read_json(const struct slot *slot, const json_t *value)
{
    bool fits = json_is_object(value) &&
                strlen(json_write(slot->arena, value)) <= (uint64_t)slot->field->max;
    if (!fits)
        return refuse(slot);
    *(const json_t **)slot->at = value;
    return OK;
}

static enum err read_value(const struct slot *slot, const json_t *value)
{
    bool good = false;
    switch (slot->field->type) {
    case INPUT_INT:
        good = json_is_integer(value) && set_int(slot, json_integer_value(value));
        break;
    case INPUT_MILLIONTHS:
        good = json_is_number(value) && set_millionths(slot, json_number_value(value));
        break;
    case INPUT_BOOL:
        good = json_is_boolean(value);
        if (good)
            *(bool *)slot->at = json_is_true(value);
        break;
    case INPUT_TEXTS:
    case INPUT_UUIDS:
    case INPUT_ARRAY:
        return read_list(slot, value);
    case INPUT_OBJECT:
        return read_object(slot->arena, value, slot->place, slot->field->fields,
                           slot->field->field_count, slot->at);
    case INPUT_JSON:
        return read_json(slot, value);
    case INPUT_TEXT:
    case INPUT_NOTE:
    case INPUT_SECRET:
    case INPUT_UUID:
    case INPUT_DATE:
    case INPUT_INSTANT:
    case INPUT_WORD:
    case INPUT_DECIMAL:
        good = json_is_string(value) && set_from_text(slot, json_string_value(value));
        break;
    }
    return good ? OK : refuse(slot);
}

static const struct input_field *field_named(const struct input_field *fields, size_t count,
                                             const char *name, size_t *index)
{
    for (*index = 0; *index < count; ++*index) {
        if (strcmp(fields[*index].name, name) == 0)
            return &fields[*index];
    }
    return NULL;
}

static void mark_given(const struct input_field *field, void *into)
{
    if (field->given)
        *((bool *)into + field->given - 1) = true;
}

static enum err read_member(struct arena *arena, const json_t *value,
                            const struct json_place *place, const struct input_field *field,
                            void *into)
{
    struct slot slot = {arena, field, place, (uint8_t *)into + field->offset};
    if (!(field->nullable && json_is_null(value)))
        TRY(read_value(&slot, value));
    mark_given(field, into);
    return OK;
}

static enum err missing_field(struct arena *arena, const struct json_place *place,
                              const struct input_field *fields, size_t count, uint64_t seen)
{
    for (size_t i = 0; i < count; i++) {
        struct json_place member = {place, fields[i].name, 0};
        if (fields[i].required && !(seen >> i & 1))
            return arena_fail(arena, ERR_FIELD_MISSING, json_place_text(arena, &member),
                              "Expected %s.", expectation(arena, &fields[i]));
    }
    return OK;
}

static enum err read_object(struct arena *arena, const json_t *object,
                            const struct json_place *place, const struct input_field *fields,
                            size_t count, void *into)
{
    assert(count <= INPUT_FIELDS_MAX);
    if (!json_is_object(object))
        return arena_fail(arena, ERR_FIELD_INVALID, json_place_text(arena, place),
                          "Expected an object.");
    uint64_t seen = 0;
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        size_t index;
        const char *name = json_object_iter_key(at);
        struct json_place member = {place, name, 0};
        const struct input_field *field = field_named(fields, count, name, &index);
        if (!field)
            return arena_fail(arena, ERR_FIELD_UNKNOWN, json_place_text(arena, &member),
                              "This call does not take this field.");
        TRY(read_member(arena, json_object_iter_value(at), &member, field, into));
        seen |= (uint64_t)1 << index;
    }
    return missing_field(arena, place, fields, count, seen);
}

enum err input_read_json(struct arena *arena, struct bytes body, const struct input_field *fields,
                         size_t count, void *into)
{
    json_t *value = NULL;
    enum err err = json_parse(arena, body, &value);
    if (err == ERR_FIELD_DUPLICATE)
        return arena_fail(arena, err, json_duplicate_place(arena, body),
                          "The field stands twice in its object.");
    TRY(err);
    if (!json_is_object(value))
        return arena_fail(arena, ERR_JSON_MALFORMED, NULL, "The body must be a JSON object.");
    return read_object(arena, value, NULL, fields, count, into);
}

static enum err read_parameter(struct arena *arena, const struct input_field *field, char *text,
                               void *into)
{
    struct slot slot = {arena, field, NULL, (uint8_t *)into + field->offset};
    int64_t number;
    bool good = false;
    if (field->type == INPUT_INT)
        good = int64_parse(text, field->min, field->max, &number) && set_int(&slot, number);
    else if (field->type == INPUT_BOOL)
        good = text_equal(text, "true") || text_equal(text, "false");
    else
        good = set_from_text(&slot, text);
    if (!good)
        return refuse(&slot);
    if (field->type == INPUT_BOOL)
        *(bool *)slot.at = text_equal(text, "true");
    mark_given(field, into);
    return OK;
}

/* The table of a query, and which of its parameters were there. */
struct query_reader {
    struct arena *arena;
    const struct input_field *fields;
    size_t count;
    void *into;
    uint64_t seen;
};

static enum err read_pair(struct query_reader *reader, const char *pair, size_t n)
{
    struct arena *arena = reader->arena;
    const char *equals = memchr(pair, '=', n);
    size_t name_n = equals ? (size_t)(equals - pair) : n;
    char *name = percent_decode(arena, pair, name_n, true);
    char *text = equals ? percent_decode(arena, equals + 1, n - name_n - 1, true) : name;
    size_t index;
    const struct input_field *field =
        name ? field_named(reader->fields, reader->count, name, &index) : NULL;
    if (!name || !field)
        return arena_fail(arena, ERR_PARAMETER_INVALID, name,
                          "This call does not know this parameter.");
    if (!text || !equals)
        return arena_fail(arena, ERR_PARAMETER_INVALID, name,
                          "Expected a value, percent-encoded UTF-8 text.");
    if (reader->seen >> index & 1)
        return arena_fail(arena, ERR_PARAMETER_INVALID, name, "The parameter stands twice.");
    reader->seen |= (uint64_t)1 << index;
    return read_parameter(arena, field, text, reader->into);
}

enum err input_read_query(struct arena *arena, const char *query, const struct input_field *fields,
                          size_t count, void *into)
{
    assert(count <= INPUT_FIELDS_MAX);
    struct query_reader reader = {arena, fields, count, into, 0};
    while (*query) {
        size_t n = strcspn(query, "&");
        if (n > 0)
            TRY(read_pair(&reader, query, n));
        query += n + (query[n] == '&');
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && !(reader.seen >> i & 1))
            return arena_fail(arena, ERR_PARAMETER_INVALID, fields[i].name, "Expected %s.",
                              expectation(arena, &fields[i]));
    }
    return OK;
}

bool media_type_json(const char *content_type)
{
    static const char json[] = "application/json";
    if (!content_type || strncasecmp(content_type, json, sizeof json - 1) != 0)
        return false;
    const char *rest = content_type + sizeof json - 1;
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}
