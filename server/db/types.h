/* Type oids of PostgreSQL's catalogue (pg_type.dat), as far as they are bound here. */
#ifndef SLUICE_DB_TYPES_H
#define SLUICE_DB_TYPES_H

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_CHAR = 18,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_JSON = 114,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_UNKNOWN = 705,
    OID_TEXT_ARRAY = 1009,
    OID_INT8_ARRAY = 1016,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_DATE = 1082,
    OID_TIMESTAMPTZ = 1184,
    OID_TIMESTAMPTZ_ARRAY = 1185,
    OID_UUID = 2950,
    OID_UUID_ARRAY = 2951,
    OID_JSONB = 3802,
};

/* PostgreSQL counts from 2000-01-01, we from 1970-01-01. */
#define POSTGRES_EPOCH_US   INT64_C(946684800000000)
#define POSTGRES_EPOCH_DAYS 10957

#endif
