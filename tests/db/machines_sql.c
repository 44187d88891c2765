/* Prints the moves of the machines as SQL (--sql) or the diagrams of the documentation (--mermaid),
 * from server/store/machines.c. */
#include "base/base.h"
#include "base/text.h"
#include "store/machines.h"

int main(int argc, char **argv)
{
    struct arena *arena = arena_open();
    bool sql = argc == 2 && text_equal(argv[1], "--sql");
    bool mermaid = argc == 2 && text_equal(argv[1], "--mermaid");
    if (!sql && !mermaid) {
        fputs("usage: machines_sql --sql | --mermaid\n", stderr);
        return 2;
    }
    if (sql)
        fputs(machine_moves_sql(arena), stdout);
    for (size_t i = 0; mermaid && machines[i]; i++)
        printf("### %s\n\n```mermaid\n%s```\n\n", machines[i]->name,
               machine_mermaid(arena, machines[i]));
    arena_close(arena);
    return 0;
}
