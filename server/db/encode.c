#include <arpa/inet.h>
#include <endian.h>

#include "base/base.h"
#include "base/buf.h"
#include "db/internal.h"
#include "db/types.h"

struct param param_uuid(struct uuid uuid)
{
    return (struct param){.type = DB_UUID, .null = uuid_is_nil(uuid), .uuid = uuid};
}

struct param param_uuid_value(struct uuid uuid)
{
    return (struct param){.type = DB_UUID, .uuid = uuid};
}

struct param param_int(int64_t number)
{
    return (struct param){.type = DB_INT, .number = number};
}

struct param param_int_if(bool present, int64_t number)
{
    return (struct param){.type = DB_INT, .null = !present, .number = number};
}

struct param param_size(uint64_t number)
{
    assert(number <= INT64_MAX);
    return (struct param){.type = DB_INT, .number = (int64_t)number};
}

struct param param_bool(bool truth)
{
    return (struct param){.type = DB_BOOL, .truth = truth};
}

struct param param_text(const char *text)
{
    return (struct param){.type = DB_TEXT, .null = text == NULL, .text = text};
}

struct param param_json(const char *json)
{
    return (struct param){.type = DB_JSON, .null = json == NULL, .text = json};
}

struct param param_bytes(struct bytes bytes)
{
    return (struct param){.type = DB_BYTES, .null = bytes.at == NULL, .bytes = bytes};
}

struct param param_time(struct instant instant)
{
    return (struct param){.type = DB_TIME, .null = instant.us == 0, .instant = instant};
}

struct param param_date(struct date date)
{
    return (struct param){.type = DB_DATE, .null = date.days == DATE_NONE, .date = date};
}

struct param param_real(double real)
{
    return (struct param){.type = DB_REAL, .real = real};
}

struct param param_uuids(struct uuid_list list)
{
    return (struct param){.type = DB_UUIDS, .uuids = list};
}

struct param param_ints(struct int_list list)
{
    return (struct param){.type = DB_INTS, .ints = list};
}

struct param param_texts(struct text_list list)
{
    return (struct param){.type = DB_TEXTS, .texts = list};
}

struct param param_times(struct instant_list list)
{
    return (struct param){.type = DB_TIMES, .instants = list};
}

static Oid oid_of(enum db_type type)
{
    static const Oid oids[] = {
        [DB_UUID] = OID_UUID,        [DB_INT] = OID_INT8,
        [DB_INT32] = OID_INT8,       [DB_BOOL] = OID_BOOL,
        [DB_TEXT] = OID_TEXT,        [DB_BYTES] = OID_BYTEA,
        [DB_TIME] = OID_TIMESTAMPTZ, [DB_DATE] = OID_DATE,
        [DB_REAL] = OID_FLOAT8,      [DB_JSON] = OID_JSONB,
        [DB_UUIDS] = OID_UUID_ARRAY, [DB_INTS] = OID_INT8_ARRAY,
        [DB_TEXTS] = OID_TEXT_ARRAY, [DB_TIMES] = OID_TIMESTAMPTZ_ARRAY,
    };
    assert((size_t)type < COUNT(oids));
    return oids[type];
}

static void put_32(struct buf *buf, uint32_t number)
{
    uint32_t big = htonl(number);
    buf_add(buf, &big, sizeof(big));
}

static void put_64(struct buf *buf, int64_t number)
{
    uint64_t big = htobe64((uint64_t)number);
    buf_add(buf, &big, sizeof(big));
}

/* One dimension, lower bound 1; array_send's format. */
static void put_array_head(struct buf *buf, Oid element, size_t n, bool nulls)
{
    put_32(buf, n ? 1 : 0);
    put_32(buf, nulls);
    put_32(buf, element);
    if (n) {
        put_32(buf, (uint32_t)n);
        put_32(buf, 1);
    }
}

static void put_texts(struct buf *buf, struct text_list list)
{
    bool nulls = false;
    for (size_t i = 0; i < list.n; i++)
        nulls = nulls || list.at[i] == NULL;
    put_array_head(buf, OID_TEXT, list.n, nulls);
    for (size_t i = 0; i < list.n; i++) {
        size_t n = list.at[i] ? strlen(list.at[i]) : 0;
        put_32(buf, list.at[i] ? (uint32_t)n : UINT32_MAX);
        buf_add(buf, list.at[i], n);
    }
}

/* Instants in an array: 0 is NULL there too. */
static void put_instants(struct buf *buf, struct instant_list list)
{
    bool nulls = false;
    for (size_t i = 0; i < list.n; i++)
        nulls = nulls || list.at[i].us == 0;
    put_array_head(buf, OID_TIMESTAMPTZ, list.n, nulls);
    for (size_t i = 0; i < list.n; i++) {
        put_32(buf, list.at[i].us ? 8 : UINT32_MAX);
        if (list.at[i].us)
            put_64(buf, list.at[i].us - POSTGRES_EPOCH_US);
    }
}

static void put_value(struct buf *buf, const struct param *param)
{
    switch (param->type) {
    case DB_UUID:
        buf_add(buf, param->uuid.b, sizeof(param->uuid.b));
        return;
    case DB_INT:
    case DB_INT32:
        put_64(buf, param->number);
        return;
    case DB_BOOL:
        buf_add_char(buf, (char)param->truth);
        return;
    case DB_TIME:
        put_64(buf, param->instant.us - POSTGRES_EPOCH_US);
        return;
    case DB_DATE:
        put_32(buf, (uint32_t)(param->date.days - POSTGRES_EPOCH_DAYS));
        return;
    case DB_REAL: {
        int64_t bits;
        memcpy(&bits, &param->real, sizeof(bits));
        put_64(buf, bits);
        return;
    }
    case DB_UUIDS:
        put_array_head(buf, OID_UUID, param->uuids.n, false);
        for (size_t i = 0; i < param->uuids.n; i++) {
            put_32(buf, sizeof(struct uuid));
            buf_add(buf, param->uuids.at[i].b, sizeof(struct uuid));
        }
        return;
    case DB_INTS:
        put_array_head(buf, OID_INT8, param->ints.n, false);
        for (size_t i = 0; i < param->ints.n; i++) {
            put_32(buf, sizeof(int64_t));
            put_64(buf, param->ints.at[i]);
        }
        return;
    case DB_TEXTS:
        put_texts(buf, param->texts);
        return;
    case DB_TIMES:
        put_instants(buf, param->instants);
        return;
    case DB_TEXT:
    case DB_JSON:
    case DB_BYTES:
    case DB_ENUM:
    case DB_CURRENCY:
        break;
    }
    abort(); /* sent as they are, or results only */
}

static void encode_one(struct arena *arena, const struct param *param, struct encoded *into)
{
    int at = into->n++;
    into->types[at] = oid_of(param->type);
    into->formats[at] = param->type != DB_TEXT && param->type != DB_JSON;
    into->values[at] = NULL;
    into->lengths[at] = 0;
    if (param->null)
        return;
    if (param->type == DB_TEXT || param->type == DB_JSON) {
        into->values[at] = param->text;
    } else if (param->type == DB_BYTES) {
        assert(param->bytes.n <= INT_MAX);
        into->values[at] = (const char *)param->bytes.at;
        into->lengths[at] = (int)param->bytes.n;
    } else {
        struct buf buf = buf_new(arena, (size_t)64 << 20);
        put_value(&buf, param);
        assert(!buf.overflowed);
        into->values[at] = buf.data;
        into->lengths[at] = (int)buf.n;
    }
}

void params_encode(struct arena *arena, const struct params *params, struct encoded *into)
{
    assert(params->n <= DB_PARAMS_MAX);
    into->n = 0;
    for (size_t i = 0; i < params->n; i++)
        encode_one(arena, &params->at[i], into);
}
