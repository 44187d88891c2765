#include "base/base.h"

struct err_row {
    int status;
    const char *slug;
    const char *sentence;
};

#define ERR_ROW(code, status, slug, sentence) [code] = {status, slug, sentence},
static const struct err_row rows[ERR_COUNT] = {ERR_TABLE(ERR_ROW)};
#undef ERR_ROW

int err_status(enum err err)
{
    assert(err < ERR_COUNT);
    return rows[err].status;
}

const char *err_slug(enum err err)
{
    assert(err < ERR_COUNT);
    return rows[err].slug;
}

const char *err_sentence(enum err err)
{
    assert(err < ERR_COUNT);
    return rows[err].sentence;
}
