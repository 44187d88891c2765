#include "http/http.h"

#include "base/text.h"

static const char *const method_names[METHOD_COUNT] = {
    [METHOD_GET] = "GET",         [METHOD_POST] = "POST",     [METHOD_PUT] = "PUT",
    [METHOD_PATCH] = "PATCH",     [METHOD_DELETE] = "DELETE", [METHOD_HEAD] = "HEAD",
    [METHOD_OPTIONS] = "OPTIONS", [METHOD_OTHER] = "other",
};

const char *http_method_name(enum http_method method)
{
    return method_names[method];
}

enum http_method http_method_parse(const char *name)
{
    for (size_t i = 0; i < METHOD_OTHER; i++) {
        if (text_equal(name, method_names[i]))
            return (enum http_method)i;
    }
    return METHOD_OTHER;
}

const char *http_request_field(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->field_count; i++) {
        if (strcmp(request->fields[i].name, name) == 0)
            return request->fields[i].value;
    }
    return NULL;
}

void http_reply_field(struct http_reply *reply, const char *name, const char *value)
{
    assert(reply->field_count < HTTP_REPLY_FIELDS_MAX);
    assert(http_token_valid(name) && http_value_valid(value));
    reply->fields[reply->field_count++] = (struct http_field){name, value};
}

bool http_token_valid(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++) {
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        bool digit = *text >= '0' && *text <= '9';
        if (!letter && !digit && !strchr("!#$%&'*+-.^_`|~", *text))
            return false;
    }
    return true;
}

bool http_value_valid(const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}
