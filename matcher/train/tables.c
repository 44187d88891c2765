/* `sluice-train tables`: from the lists of legal forms, company words and stop words (YAML) to the
 * tables that are compiled in. Names are folded and split by the library itself. */
#include "base/base.h"

#include "base/buf.h"
#include "base/text.h"
#include "matcher/fold.h"
#include "matcher/words.h"
#include "matcher/train/train.h"

enum {
    ALIASES_MAX = 4096,
    NODES_MAX = 16384,
    COMMON_MAX = 8192,
    LINE_BYTES_MAX = 1024,
    ALIAS_WORDS_MAX = 12,
    OUTPUT_BYTES_MAX = 1024 * 1024
};

struct alias {
    const char *words[ALIAS_WORDS_MAX];
    size_t count;
    int form;
};

struct legal_list {
    struct alias aliases[ALIASES_MAX];
    size_t alias_count;
    struct legal_form forms[ALIASES_MAX];
    bool conflicting[ALIASES_MAX]; /* the class of the form differs between countries */
    size_t form_count;
};

/* The value of "key: value" or "- value" without quotes and comment; NULL when the line has none.
 */
static char *yaml_value(struct arena *arena, const char *line, const char *key)
{
    line += strspn(line, " ");
    if (!text_starts(line, key))
        return NULL;
    line += strlen(key);
    line += strspn(line, " ");
    size_t n = strcspn(line, "\r\n");
    const char *comment = strstr(line, " #");
    if (comment && (size_t)(comment - line) < n)
        n = (size_t)(comment - line);
    while (n > 0 && line[n - 1] == ' ')
        n--;
    if (n >= 2 && (line[0] == '"' || line[0] == '\'') && line[n - 1] == line[0])
        return arena_text_n(arena, line + 1, n - 2);
    return arena_text_n(arena, line, n);
}

static const char *joined_words(struct arena *arena, const char *raw)
{
    struct words words;
    words_split(arena, text_fold(arena, raw), &words);
    struct buf joined = buf_new(arena, LINE_BYTES_MAX);
    for (size_t i = 0; i < words.count; i++)
        buf_add_text(&joined, words.at[i]);
    return joined.data;
}

static int form_index(struct legal_list *list, const char *form, const char *class_name)
{
    for (size_t i = 0; i < list->form_count; i++) {
        if (strcmp(list->forms[i].form, form) == 0) {
            if (strcmp(list->forms[i].class_name, class_name) != 0)
                list->conflicting[i] = true;
            return (int)i;
        }
    }
    list->forms[list->form_count] = (struct legal_form){form, class_name};
    return (int)list->form_count++;
}

/* Words of every day that are somebody's legal form as well: they would be cut out of names. */
static bool is_everyday_word(const char *word)
{
    static const char *const list[] = {"3at", "and", "at",  "charity", "cooperation", "da",  "go",
                                       "ii",  "im",  "in",  "is",      "ll",          "moo", "na",
                                       "no",  "of",  "oo",  "pat",     "pp",          "sem", "too",
                                       "tu",  "up",  "vat", "vo"};
    for (size_t i = 0; i < COUNT(list); i++) {
        if (strcmp(list[i], word) == 0)
            return true;
    }
    return false;
}

static void alias_add(struct arena *arena, struct legal_list *list, const char *raw, int form)
{
    struct words words;
    words_split(arena, text_fold(arena, raw), &words);
    if (words.count == 0 || words.count > ALIAS_WORDS_MAX || list->alias_count == ALIASES_MAX)
        return;
    if (words.count == 1 && (strlen(words.at[0]) < 2 || is_everyday_word(words.at[0])))
        return;
    struct alias *alias = &list->aliases[list->alias_count++];
    *alias = (struct alias){.count = words.count, .form = form};
    memcpy(alias->words, words.at, words.count * sizeof words.at[0]);
}

static void legal_entry_end(struct arena *arena, struct legal_list *list, const char *display,
                            const char *compare, const char *class_name)
{
    if (!display)
        return;
    const char *form = joined_words(arena, compare && *compare ? compare : display);
    if (*form)
        alias_add(arena, list, display, form_index(list, form, class_name ? class_name : ""));
}

static enum err legal_read(struct arena *arena, const char *path, struct legal_list *list)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return arena_fail(arena, ERR_IO, NULL, "%s cannot be read.", path);
    char line[LINE_BYTES_MAX];
    const char *display = NULL, *compare = NULL, *class_name = NULL;
    while (fgets(line, sizeof line, file)) {
        if (line[strspn(line, " ")] == '#')
            continue;
        char *value = yaml_value(arena, line, "- display:");
        if (value) {
            legal_entry_end(arena, list, display, compare, class_name);
            display = value;
            compare = class_name = NULL;
        } else if ((value = yaml_value(arena, line, "compare:"))) {
            compare = value;
        } else if ((value = yaml_value(arena, line, "generic:"))) {
            class_name = value;
        } else if (display && (value = yaml_value(arena, line, "- ")) && !strstr(value, ": ")) {
            const char *form = joined_words(arena, compare && *compare ? compare : display);
            if (*form)
                alias_add(arena, list, value, form_index(list, form, class_name ? class_name : ""));
        }
    }
    legal_entry_end(arena, list, display, compare, class_name);
    fclose(file);
    return OK;
}

static int alias_order(const void *left, const void *right)
{
    const struct alias *a = left, *b = right;
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        int order = strcmp(a->words[i], b->words[i]);
        if (order)
            return order;
    }
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    return (a->form > b->form) - (a->form < b->form); /* the first form of an alias counts */
}

struct node {
    const char *word;
    size_t depth, from, to; /* the aliases below it */
    size_t first_child, child_count;
    int form;
};

/* Breadth first over the sorted aliases, so that children stand together and sorted. */
static size_t trie_build(const struct legal_list *list, struct node *nodes)
{
    size_t count = 1;
    nodes[0] = (struct node){.word = "", .to = list->alias_count, .form = -1};
    for (size_t at = 0; at < count; at++) {
        struct node *node = &nodes[at];
        node->first_child = count;
        for (size_t i = node->from; i < node->to;) {
            const struct alias *alias = &list->aliases[i];
            if (alias->count == node->depth) {
                if (node->form < 0)
                    node->form = alias->form;
                i++;
                continue;
            }
            size_t end = i + 1;
            const char *word = alias->words[node->depth];
            while (end < node->to && strcmp(list->aliases[end].words[node->depth], word) == 0)
                end++;
            assert(count < NODES_MAX);
            nodes[count++] = (struct node){
                .word = word, .depth = node->depth + 1, .from = i, .to = end, .form = -1};
            i = end;
        }
        node->child_count = count - node->first_child;
    }
    return count;
}

/* Rows one after the other, as many as fit on a line. */
static void row_add(struct buf *into, size_t *column, const char *row)
{
    size_t n = strlen(row);
    if (*column + n + 1 > 100) {
        buf_add_char(into, '\n');
        *column = 0;
    }
    buf_add_text(into, *column ? " " : "    ");
    buf_add_text(into, row);
    *column += n + (*column ? 1 : 4);
}

static const char *const made_by = "/* Made by `sluice-train tables` from the lists in "
                                   "matcher/data (LICENSE there); do not edit. */\n"
                                   "/* clang-format off */\n";

enum err tables_write_legal(struct arena *arena, const char *from, const char *to)
{
    struct legal_list *list = arena_alloc(arena, sizeof *list);
    TRY(legal_read(arena, from, list));
    qsort(list->aliases, list->alias_count, sizeof list->aliases[0], alias_order);
    struct node *nodes = arena_array(arena, NODES_MAX, sizeof *nodes);
    size_t count = trie_build(list, nodes);
    struct buf out = buf_new(arena, OUTPUT_BYTES_MAX);
    buf_add_text(&out, made_by);
    buf_add_text(&out, "static const struct legal_form legal_forms[] = {\n");
    size_t column = 0;
    for (size_t i = 0; i < list->form_count; i++)
        row_add(&out, &column,
                arena_format(arena, "{\"%s\", \"%s\"},", list->forms[i].form,
                             list->conflicting[i] ? "" : list->forms[i].class_name));
    buf_add_text(&out, "\n};\nstatic const struct legal_node legal_nodes[] = {\n");
    column = 0;
    for (size_t i = 0; i < count; i++)
        row_add(&out, &column,
                arena_format(arena, "{\"%s\", %zu, %zu, %d},", nodes[i].word, nodes[i].first_child,
                             nodes[i].child_count, nodes[i].form));
    buf_add_text(&out, "\n};\n/* clang-format on */\n");
    return file_write(arena, to, buf_bytes(&out));
}

struct common {
    const char *word;
    const char *canonical;
};

struct common_list {
    struct common at[COMMON_MAX];
    size_t count;
};

static bool ascii_word(const char *word)
{
    return strlen(word) >= 2 && word[strspn(word, "abcdefghijklmnopqrstuvwxyz")] == '\0';
}

static void common_add(struct arena *arena, struct common_list *list, const char *raw,
                       const char *canonical)
{
    struct words words;
    words_split(arena, text_fold(arena, raw), &words);
    if (words.count != 1 || !ascii_word(words.at[0]))
        return;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->at[i].word, words.at[0]) == 0)
            return;
    }
    assert(list->count < COMMON_MAX);
    list->at[list->count++] = (struct common){words.at[0], canonical ? canonical : words.at[0]};
}

/* The section `section:` of a file. `grouped`: its lists have names, which are the canonical word.
 */
static enum err common_read(struct arena *arena, const char *path, const char *section,
                            bool grouped, struct common_list *list)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return arena_fail(arena, ERR_IO, NULL, "%s cannot be read.", path);
    char line[LINE_BYTES_MAX];
    bool inside = false;
    const char *group = NULL;
    while (fgets(line, sizeof line, file)) {
        size_t indent = strspn(line, " ");
        if (line[indent] == '#' || line[indent] == '\n')
            continue;
        if (indent == 0) {
            inside = text_starts(line, section);
            continue;
        }
        char *value = yaml_value(arena, line, "- ");
        if (!inside)
            continue;
        if (value)
            common_add(arena, list, value, group);
        else if (grouped)
            group = arena_text_n(arena, line + indent, strcspn(line + indent, ":"));
    }
    fclose(file);
    return OK;
}

static int common_order(const void *left, const void *right)
{
    const struct common *a = left, *b = right;
    return strcmp(a->word, b->word);
}

enum err tables_write_common(struct arena *arena, const char *directory, const char *to)
{
    struct common_list *list = arena_alloc(arena, sizeof *list);
    const char *symbols = arena_format(arena, "%s/resources_names_symbols.yml", directory);
    const char *stop = arena_format(arena, "%s/resources_text_stopwords.yml", directory);
    const char *names = arena_format(arena, "%s/resources_names_stopwords.yml", directory);
    TRY(common_read(arena, symbols, "org_symbols:", true, list));
    TRY(common_read(arena, stop, "STOPWORDS:", false, list));
    TRY(common_read(arena, names, "PERSON_NAME_PREFIXES:", false, list));
    qsort(list->at, list->count, sizeof list->at[0], common_order);
    struct buf out = buf_new(arena, OUTPUT_BYTES_MAX);
    buf_add_text(&out, made_by);
    buf_add_text(&out, "static const struct common_entry common_words[] = {\n");
    size_t column = 0;
    for (size_t i = 0; i < list->count; i++)
        row_add(&out, &column,
                arena_format(arena, "{\"%s\", \"%s\"},", list->at[i].word, list->at[i].canonical));
    buf_add_text(&out, "\n};\n/* clang-format on */\n");
    return file_write(arena, to, buf_bytes(&out));
}
