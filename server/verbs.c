#include "verbs.h"

#include <fcntl.h>
#include <unistd.h>

#include "app.h"
#include "auth/password.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "db/migrate.h"
#include "handlers/routes.h"
#include "store/login.h"
#include "store/user.h"

enum { CONFIG_TEXT_BYTES_MAX = 1024 * 1024, PASSWORD_FILE_BYTES_MAX = 1024 };

/* ---- options ---- */

static const struct option *option_named(const struct option *options, size_t count,
                                         const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(options[i].name, name))
            return &options[i];
    }
    return NULL;
}

static enum err take_option(struct invocation *invocation, int *at, const struct option *option)
{
    const char *name = invocation->arguments[*at];
    if (!option)
        return arena_fail(invocation->arena, ERR_CONFIG, NULL,
                          "%s is no option of this verb; `sluice help` lists them.", name);
    if (option->flag) {
        *option->flag = true;
        return OK;
    }
    if (*at + 1 >= invocation->argument_count)
        return arena_fail(invocation->arena, ERR_CONFIG, NULL, "%s needs a value.", name);
    *option->value = invocation->arguments[++*at];
    return OK;
}

enum err options_read(struct invocation *invocation, const struct option *options, size_t count,
                      const char **config)
{
    struct option config_option = {.name = "--config", .value = config};
    for (int at = 0; at < invocation->argument_count; at++) {
        const char *name = invocation->arguments[at];
        const struct option *option =
            text_equal(name, "--config") ? &config_option : option_named(options, count, name);
        TRY(take_option(invocation, &at, option));
    }
    for (size_t i = 0; i < count; i++) {
        if (options[i].required && !*options[i].value)
            return arena_fail(invocation->arena, ERR_CONFIG, NULL, "%s is missing: %s.",
                              options[i].name, options[i].required);
    }
    return OK;
}

static enum err read_config(struct invocation *invocation, const char *path, struct config *into)
{
    return config_read(invocation->arena, path, invocation->environment, into);
}

/* ---- serve, work, up ---- */

/* Whole or not at all: who waits for the file may read it at once. */
static enum err write_ready(struct arena *arena, const char *path, const char *url)
{
    char *draft = arena_format(arena, "%s.new", path);
    FILE *file = fopen(draft, "w");
    bool written = file && fprintf(file, "%s\n", url) > 0;
    bool closed = file && fclose(file) == 0;
    if (!written || !closed || rename(draft, path) != 0)
        return arena_fail(arena, ERR_IO, NULL, "%s cannot be written.", path);
    return OK;
}

static enum err run_program(struct invocation *invocation, unsigned roles)
{
    struct arena *arena = invocation->arena;
    const char *config_path = NULL, *ready = NULL;
    const struct option options[] = {{.name = "--ready-file", .value = &ready}};
    struct config config;
    struct program *program;
    TRY(options_read(invocation, options, COUNT(options), &config_path));
    TRY(read_config(invocation, config_path, &config));
    TRY(program_open(arena, &config, roles, &program));
    enum err error = OK;
    if (ready && program_url(program))
        error = write_ready(arena, ready, program_url(program));
    if (error == OK)
        program_wait(program);
    program_close(program);
    return error;
}

enum err verb_serve(struct invocation *invocation)
{
    return run_program(invocation, ROLE_SERVE);
}

enum err verb_work(struct invocation *invocation)
{
    return run_program(invocation, ROLE_WORK);
}

enum err verb_up(struct invocation *invocation)
{
    return run_program(invocation, ROLE_SERVE | ROLE_WORK);
}

/* ---- migrate ---- */

static enum err migrate_one(struct invocation *invocation, const struct config *config,
                            enum schema schema, const char *conninfo)
{
    struct arena *arena = invocation->arena;
    struct clock clock = {0};
    struct rand_source rand;
    const char *name = schema == SCHEMA_DIRECTORY ? "directory" : "region";
    struct db *db;
    struct migrate_report report = {0};
    if (!conninfo)
        return arena_fail(arena, ERR_CONFIG, NULL,
                          "%s.owner_url is not set: migrate needs the role that owns the schema.",
                          name);
    rand_open(&rand, 0);
    struct db_settings settings = {
        .conninfo = conninfo, .application = "sluice migrate", .clock = &clock, .rand = &rand};
    enum err error = db_open(arena, &settings, &db);
    if (error == OK) {
        error = migrate(db, arena, schema,
                        arena_format(arena, "%s/%s", config->migrations_directory, name), &report);
        db_close(db);
    }
    rand_close(&rand);
    TRY(error);
    printf("%s: %d of %d migrations applied now\n", name, report.applied, report.total);
    return OK;
}

enum err verb_migrate(struct invocation *invocation)
{
    const char *config_path = NULL;
    struct config config;
    TRY(options_read(invocation, NULL, 0, &config_path));
    TRY(read_config(invocation, config_path, &config));
    TRY(migrate_one(invocation, &config, SCHEMA_DIRECTORY, config.directory_owner_url));
    return migrate_one(invocation, &config, SCHEMA_REGION, config.region_owner_url);
}

/* ---- routes, config show ---- */

enum err verb_routes(struct invocation *invocation)
{
    const char *config_path = NULL;
    TRY(options_read(invocation, NULL, 0, &config_path));
    for (size_t i = 0; i < route_count; i++)
        printf("%-7s %-70s %-9s %s\n", http_method_name(routes[i].method), routes[i].path,
               access_name(routes[i].access),
               routes[i].idempotency == IDEMPOTENCY_NONE ? "-" : "idempotent");
    return OK;
}

enum err verb_config_show(struct invocation *invocation)
{
    const char *config_path = NULL;
    TRY(options_read(invocation, NULL, 0, &config_path));
    struct buf text = buf_new(invocation->arena, CONFIG_TEXT_BYTES_MAX);
    TRY(config_show(invocation->arena, config_path, invocation->environment, &text));
    fputs(text.data, stdout);
    return OK;
}

/* ---- people: operator create, operator password ---- */

static enum err read_password(struct arena *arena, const char *path, const struct secret **into)
{
    char text[PASSWORD_FILE_BYTES_MAX] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return arena_fail(arena, ERR_IO, NULL, "The password cannot be read from %s.", path);
    text[strcspn(text, "\r\n")] = '\0';
    *into = secret_from_text(arena, text);
    memory_wipe(text, sizeof text);
    return password_check(arena, *into, NULL, NULL);
}

struct person {
    struct untenanted directory;
    struct user user; /* e-mail, name and the hash of the password */
    const char *password_file;
    bool if_absent;
};
typedef enum err person_work(struct person *person);

static enum err with_directory(struct arena *arena, const struct config *config, person_work *work,
                               struct person *person)
{
    struct clock clock = {0};
    struct rand_source rand;
    struct db *db;
    rand_open(&rand, 0);
    struct db_settings settings = {.conninfo = config->directory_database_url,
                                   .application = "sluice operator",
                                   .clock = &clock,
                                   .rand = &rand};
    enum err error = db_open(arena, &settings, &db);
    if (error == OK) {
        person->directory = db_untenanted(db, arena);
        error = work(person);
        db_close(db);
    }
    rand_close(&rand);
    return error;
}

static enum err add_operator(struct person *person)
{
    struct user known;
    bool found = false;
    TRY(user_by_email(&person->directory, person->user.email, &known, &found));
    enum err error = found && person->if_absent ? OK : user_add(&person->directory, &person->user);
    if (error == ERR_DUPLICATE)
        return arena_fail(person->directory.scope.arena, ERR_DUPLICATE, NULL,
                          "There is a person with that address.");
    TRY(error);
    printf("operator %s %s\n", person->user.email, found ? "was there already" : "created");
    return OK;
}

static enum err set_password(const struct scope *scope, void *arg)
{
    struct person *person = arg;
    struct user known;
    bool found = false;
    TRY(user_by_email(&person->directory, person->user.email, &known, &found));
    if (!found)
        return arena_fail(scope->arena, ERR_NOT_FOUND, NULL,
                          "There is no person with that address.");
    TRY(user_password_set(&person->directory, known.id, person->user.password_hash));
    return login_end_all(&person->directory, known.id);
}

static enum err replace_password(struct person *person)
{
    TRY(db_transaction(&person->directory.scope, set_password, person));
    printf("%s has a new password; all sessions have ended\n", person->user.email);
    return OK;
}

/* The options fill `person`. */
static enum err for_person(struct invocation *invocation, const struct option *options,
                           size_t count, struct person *person, person_work *work)
{
    struct arena *arena = invocation->arena;
    const char *config_path = NULL;
    struct config config;
    const struct secret *password = NULL;
    char *hash;
    TRY(options_read(invocation, options, count, &config_path));
    assert(person->password_file);
    TRY(read_config(invocation, config_path, &config));
    TRY(read_password(arena, person->password_file, &password));
    TRY(password_hash(arena, password, &hash));
    person->user.password_hash = hash;
    return with_directory(arena, &config, work, person);
}

enum err verb_operator_create(struct invocation *invocation)
{
    struct person person = {.user = {.operator= true, .active = true}};
    const struct option options[] = {
        {.name = "--email", .value = &person.user.email, .required = "the address to log in with"},
        {.name = "--name", .value = &person.user.name, .required = "the person's name"},
        {.name = "--password-file",
         .value = &person.password_file,
         .required = "a file with the password"},
        {.name = "--if-absent", .flag = &person.if_absent},
    };
    return for_person(invocation, options, COUNT(options), &person, add_operator);
}

enum err verb_operator_password(struct invocation *invocation)
{
    struct person person = {0};
    const struct option options[] = {
        {.name = "--email", .value = &person.user.email, .required = "whose password it is"},
        {.name = "--password-file",
         .value = &person.password_file,
         .required = "a file with the password"},
    };
    return for_person(invocation, options, COUNT(options), &person, replace_password);
}
