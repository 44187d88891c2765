/* Look-ups in the tables that `sluice-train tables` makes from matcher/data. */
#include "base/base.h"

#include "matcher/words.h"

/* A node of the trie of legal forms: its children stand together, sorted by word. */
struct legal_node {
    const char *word;
    uint16_t first_child;
    uint16_t child_count;
    int16_t form; /* index into the forms, -1: no form ends here */
};

#include "matcher/data/legal_forms.inc"

/* Sorted by word. */
struct common_entry {
    const char *word;
    const char *canonical;
};

#include "matcher/data/common_words.inc"

static const struct legal_node *child_find(const struct legal_node *node, const char *word)
{
    size_t low = node->first_child, high = low + node->child_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(legal_nodes[middle].word, word);
        if (order == 0)
            return &legal_nodes[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

size_t legal_match(const char *const *words, size_t count, struct legal_form *into)
{
    const struct legal_node *node = &legal_nodes[0];
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        node = child_find(node, words[i]);
        if (!node)
            break;
        if (node->form < 0)
            continue;
        longest = i + 1;
        *into = legal_forms[node->form];
    }
    return longest;
}

const char *common_word(const char *word)
{
    size_t low = 0, high = COUNT(common_words);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(common_words[middle].word, word);
        if (order == 0)
            return common_words[middle].canonical;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
