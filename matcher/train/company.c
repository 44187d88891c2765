#include "base/base.h"

#include "base/buf.h"
#include "base/text.h"
#include "matcher/fold.h"
#include "matcher/train/company.h"

enum { NAME_BYTES_MAX = 200, WORDS_PER_LIST = 32 };

static const char *const surnames[2][WORDS_PER_LIST] = {
    {"Lefèvre", "Moreau",   "Girard",      "Dubois",   "Fontaine", "Chevalier", "Rousseau",
     "Garnier", "Müller",   "Schmidt",     "Becker",   "Hoffmann", "Rossi",     "Ferrari",
     "Romano",  "Greco",    "García",      "Herrero",  "Vázquez",  "Ortega",    "de Vries",
     "Jansen",  "Bakker",   "Visser",      "Smith",    "Taylor",   "Harrison",  "Bennett",
     "Nowak",   "Kowalski", "Søndergaard", "Lindqvist"},
    {"Perrin",  "Marchand",  "Gauthier",   "Barbier",  "Renaud",   "Brunet", "Collet",
     "Aubert",  "Krüger",    "Zimmermann", "Vogel",    "Lorenz",   "Conti",  "De Luca",
     "Mancini", "Villa",     "Núñez",      "Castillo", "Iglesias", "Medina", "van Dijk",
     "Peeters", "Claes",     "Wouters",    "Walker",   "Hughes",   "Foster", "Sullivan",
     "Wójcik",  "Zieliński", "Østergaard", "Bergström"}};

static const char *const trades[2][WORDS_PER_LIST] = {
    {"Boulangerie", "Plomberie",  "Menuiserie",  "Garage",     "Pharmacie", "Librairie",
     "Imprimerie",  "Transports", "Consulting",  "Software",   "Studio",    "Design",
     "Logistics",   "Energie",    "Électricité", "Immobilier", "Catering",  "Coiffure",
     "Fleurs",      "Optique",    "Sécurité",    "Nettoyage",  "Peinture",  "Media",
     "Marketing",   "Formation",  "Maçonnerie",  "Textiles",   "Motors",    "Labs",
     "Foods",       "Travel"},
    {"Boucherie", "Serrurerie",   "Charpente",    "Carrosserie", "Clinique",   "Papeterie",
     "Édition",   "Déménagement", "Conseil",      "Digital",     "Atelier",    "Architecture",
     "Freight",   "Solaire",      "Chauffage",    "Assurances",  "Traiteur",   "Esthétique",
     "Jardins",   "Audio",        "Surveillance", "Hygiène",     "Décoration", "Films",
     "Publicité", "Academy",      "Terrassement", "Mode",        "Cycles",     "Robotics",
     "Vins",      "Voyages"}};

static const char *const cities[2][WORDS_PER_LIST] = {
    {"Paris",  "Lyon",    "Lille",   "Nantes",   "Bordeaux", "Rennes", "Nice",   "Toulouse",
     "Berlin", "Hamburg", "München", "Köln",     "Milano",   "Torino", "Roma",   "Napoli",
     "Madrid", "Sevilla", "Bilbao",  "Valencia", "Utrecht",  "Breda",  "Gent",   "Leuven",
     "London", "Leeds",   "Bristol", "York",     "Warszawa", "Gdynia", "Aarhus", "Malmö"},
    {"Dijon",   "Angers",  "Metz",     "Tours",  "Reims",  "Brest",  "Nîmes",  "Limoges",
     "Leipzig", "Bonn",    "Nürnberg", "Essen",  "Genova", "Parma",  "Bari",   "Verona",
     "Málaga",  "Murcia",  "Gijón",    "Toledo", "Delft",  "Arnhem", "Namur",  "Liège",
     "Dublin",  "Cardiff", "Exeter",   "Bath",   "Łódź",   "Poznań", "Odense", "Uppsala"}};

static const char *const syllables[2][16] = {{"lu", "mi", "no", "ra", "ve", "zo", "tek", "vis",
                                              "ka", "dor", "pel", "ni", "sol", "qua", "bri", "xen"},
                                             {"fa", "go", "hel", "ji", "mor", "pra", "sta", "tri",
                                              "ul", "wen", "yo", "cre", "bla", "dri", "eo", "nox"}};

static const char *const legal_forms[][3] = {
    {"SARL", "S.A.R.L.", "Société à responsabilité limitée"},
    {"SAS", "S.A.S.", "SASU"},
    {"SA", "S.A.", "Société Anonyme"},
    {"GmbH", "G.m.b.H.", "Gesellschaft mit beschränkter Haftung"},
    {"Ltd", "Ltd.", "Limited"},
    {"Inc", "Inc.", "Incorporated"},
    {"BV", "B.V.", "Besloten Vennootschap"},
    {"S.r.l.", "SRL", "S.R.L."}};

static const char *pick(struct random *random, const char *const *list)
{
    return list[random_below(random, WORDS_PER_LIST)];
}

static const char *brand(struct arena *arena, struct random *random, int vocabulary)
{
    struct buf name = buf_new(arena, NAME_BYTES_MAX);
    for (size_t n = 2 + random_below(random, 3); n > 0; n--)
        buf_add_text(&name, syllables[vocabulary][random_below(random, 16)]);
    if (name.data[0] >= 'a' && name.data[0] <= 'z')
        name.data[0] = (char)(name.data[0] - 'a' + 'A');
    return name.data;
}

static const char *core_new(struct arena *arena, struct random *random, int vocabulary,
                            const char *city)
{
    const char *surname = pick(random, surnames[vocabulary]);
    const char *trade = pick(random, trades[vocabulary]);
    switch (random_below(random, 7)) {
    case 0:
        return arena_format(arena, "%s %s", trade, surname);
    case 1:
        return arena_format(arena, "%s & Fils", surname);
    case 2:
        return arena_format(arena, "%s %s %s", surname, trade, city);
    case 3:
        return arena_format(arena, "%s %s", brand(arena, random, vocabulary), trade);
    case 4:
        return arena_format(arena, "%s et %s", surname, pick(random, surnames[vocabulary]));
    default:
        return brand(arena, random, vocabulary);
    }
}

static const char *vat_new(struct arena *arena, struct random *random)
{
    return arena_format(arena, "DE%09" PRId64, random_between(random, 100000000, 999999999));
}

/* A German IBAN with its check digits: 98 − (18 digits, "1314", "00" mod 97). */
static const char *iban_new(struct arena *arena, struct random *random)
{
    int64_t bank = random_between(random, 10000000, 99999999);
    int64_t account = random_between(random, 1000000000, 9999999999);
    int64_t remainder = bank % 97;
    remainder = (remainder * (10000000000 % 97) + account) % 97;
    remainder = (remainder * (1000000 % 97) + 131400) % 97;
    return arena_format(arena, "DE%02" PRId64 "%08" PRId64 "%010" PRId64, 98 - remainder, bank,
                        account);
}

static const char *domain_new(struct arena *arena, const char *core)
{
    struct buf domain = buf_new(arena, NAME_BYTES_MAX);
    for (const char *at = text_fold(arena, core); *at; at++) {
        if (*at >= 'a' && *at <= 'z')
            buf_add_char(&domain, *at);
    }
    return domain.data;
}

static const char *const streets[][2] = {{"rue", "r."},    {"avenue", "av"},    {"street", "st"},
                                         {"road", "rd"},   {"strasse", "str."}, {"boulevard", "bd"},
                                         {"place", "pl."}, {"allee", "all."}};

static void place_new(struct arena *arena, struct random *random, int vocabulary,
                      struct company *company)
{
    company->address = arena_format(arena, "%" PRId64 " %s %s", random_between(random, 1, 240),
                                    pick(random, surnames[vocabulary]),
                                    streets[random_below(random, COUNT(streets))][0]);
    company->postcode = arena_format(arena, "%05" PRId64, random_between(random, 1000, 95999));
    company->phone =
        arena_format(arena, "+33 %" PRId64, random_between(random, 100000000, 799999999));
}

static void identity_new(struct arena *arena, struct random *random, struct company *company)
{
    company->email = random_chance(random, 0.25)
                         ? arena_format(arena, "%s@gmail.com", domain_new(arena, company->core))
                         : arena_format(arena, "billing@%s.com", domain_new(arena, company->core));
    company->vat_id = random_chance(random, 0.6) ? vat_new(arena, random) : NULL;
    company->iban = iban_new(arena, random);
    company->customer_id = arena_format(arena, "cus_%012" PRIx64, random_next(random) >> 16);
    company->subscription_minor =
        random_chance(random, 0.4) ? random_between(random, 5, 300) * 100 - 1 : 0;
}

struct company company_new(struct arena *arena, struct random *random, int vocabulary, int family)
{
    struct company company = {.family = family, .legal = ""};
    company.city = pick(random, cities[vocabulary]);
    company.core = core_new(arena, random, vocabulary, company.city);
    place_new(arena, random, vocabulary, &company);
    if (!random_chance(random, 0.15))
        company.legal = legal_forms[random_below(random, COUNT(legal_forms))][0];
    identity_new(arena, random, &company);
    return company;
}

static const char *one_letter_off(struct arena *arena, struct random *random, const char *core)
{
    char *other = arena_text(arena, core);
    size_t n = strlen(other), at = 1 + random_below(random, n - 1);
    if (other[at] >= 'a' && other[at] <= 'z')
        other[at] = (char)('a' + random_below(random, 26));
    return other;
}

struct company company_sibling(struct arena *arena, struct random *random, int vocabulary,
                               const struct company *of)
{
    struct company company = *of;
    company.city = pick(random, cities[vocabulary]);
    if (random_chance(random, 0.85)) /* else it sits beside the other */
        place_new(arena, random, vocabulary, &company);
    switch (random_below(random, 5)) {
    case 0:
        company.core = arena_format(arena, "%s %s", of->core, company.city);
        break;
    case 1:
        company.core = arena_format(arena, "%s %" PRId64, of->core, random_between(random, 2, 9));
        break;
    case 2:
        company.core = one_letter_off(arena, random, of->core);
        break;
    case 3:
        company.core = arena_format(arena, "%s Holding", of->core);
        break;
    default:
        company.legal = legal_forms[random_below(random, COUNT(legal_forms))][0];
        break;
    }
    identity_new(arena, random, &company);
    company.subscription_minor = random_chance(random, 0.5) ? of->subscription_minor : 0;
    return company;
}

static const char *legal_spelled(struct random *random, const char *legal, double respelled)
{
    for (size_t i = 0; i < COUNT(legal_forms); i++) {
        if (strcmp(legal_forms[i][0], legal) == 0 && random_chance(random, respelled))
            return legal_forms[i][1 + random_below(random, 2)];
    }
    return legal;
}

/* Drops, doubles or replaces one ASCII letter. */
static void typo_make(struct random *random, char *name)
{
    size_t n = strlen(name);
    if (n < 4)
        return;
    size_t at = 1 + random_below(random, n - 2);
    if ((unsigned char)name[at] >= 0x80 || (unsigned char)name[at + 1] >= 0x80)
        return;
    if (random_chance(random, 0.5))
        memmove(name + at, name + at + 1, n - at);
    else
        name[at] = (char)('a' + random_below(random, 26));
}

/* Cuts a long word short, as people and forms do: "Boul. Lefèvre". */
static const char *abbreviated(struct arena *arena, const char *name)
{
    size_t first = strcspn(name, " ");
    if (first < 7 || !name[first] || (unsigned char)name[4] >= 0x80)
        return name;
    return arena_format(arena, "%.4s.%s", name, name + first);
}

static const char *reordered(struct arena *arena, const char *name)
{
    const char *space = strchr(name, ' ');
    return space ? arena_format(arena, "%s %.*s", space + 1, (int)(space - name), name) : name;
}

static void cut(char *name, size_t bytes)
{
    if (strlen(name) <= bytes)
        return;
    while (bytes > 0 && ((unsigned char)name[bytes] & 0xC0) == 0x80)
        bytes--;
    name[bytes] = '\0';
}

static void upper_make(char *name)
{
    for (; *name; name++) {
        if (*name >= 'a' && *name <= 'z')
            *name = (char)(*name - ('a' - 'A'));
    }
}

const char *company_name(struct arena *arena, struct random *random, const struct company *company,
                         const struct name_noise *noise)
{
    static const char *const descriptors[] = {"VIR SEPA ", "PRLV SEPA ", "PAYPAL *", "SQ *"};
    const char *core = company->core;
    if (random_chance(random, noise->other_name))
        core = brand(arena, random, 0);
    if (random_chance(random, noise->abbreviated))
        core = abbreviated(arena, core);
    if (random_chance(random, noise->reordered))
        core = reordered(arena, core);
    struct buf name = buf_new(arena, NAME_BYTES_MAX);
    if (random_chance(random, noise->descriptor))
        buf_add_text(&name, descriptors[random_below(random, COUNT(descriptors))]);
    buf_add_text(&name, core);
    if (random_chance(random, noise->city_added))
        buf_format(&name, " %s", company->city);
    if (*company->legal && !random_chance(random, noise->legal_dropped))
        buf_format(&name, " %s", legal_spelled(random, company->legal, noise->legal_respelled));
    char *text = arena_text(arena, name.data);
    if (random_chance(random, noise->accents_lost))
        text = text_fold(arena, text);
    if (random_chance(random, noise->typo))
        typo_make(random, text);
    if (random_chance(random, noise->truncated))
        cut(text, 10 + random_below(random, 12));
    if (random_chance(random, noise->upper))
        upper_make(text);
    return text;
}

const char *company_address(struct arena *arena, struct random *random,
                            const struct company *company)
{
    static const double moved = 0.04, short_street = 0.3, number_lost = 0.06, city_told = 0.5,
                        typo = 0.1, upper = 0.4;
    struct company place = *company;
    if (random_chance(random, moved))
        place_new(arena, random, 0, &place);
    const char *street = place.address;
    for (size_t i = 0; i < COUNT(streets); i++) {
        size_t n = strlen(street), word = strlen(streets[i][0]);
        if (n > word && text_ends(street, streets[i][0]) && random_chance(random, short_street))
            street = arena_format(arena, "%.*s%s", (int)(n - word), street, streets[i][1]);
    }
    if (random_chance(random, number_lost))
        street += strspn(street, "0123456789 ");
    char *text = random_chance(random, city_told)
                     ? arena_format(arena, "%s, %s", street, company->city)
                     : arena_text(arena, street);
    if (random_chance(random, typo))
        typo_make(random, text);
    if (random_chance(random, upper))
        upper_make(text);
    return text;
}

const char *company_phone(struct arena *arena, struct random *random, const struct company *company)
{
    static const double other_line = 0.08, local = 0.4;
    if (random_chance(random, other_line))
        return arena_format(arena, "+33 %" PRId64, random_between(random, 100000000, 799999999));
    return random_chance(random, local) ? arena_format(arena, "0%s", company->phone + 4)
                                        : company->phone;
}

const char *company_postcode(struct arena *arena, struct random *random,
                             const struct company *company)
{
    static const double moved = 0.04, typo = 0.03;
    if (random_chance(random, moved))
        return arena_format(arena, "%05" PRId64, random_between(random, 1000, 95999));
    char *code = arena_text(arena, company->postcode);
    if (random_chance(random, typo))
        code[random_below(random, strlen(code))] = (char)('0' + random_below(random, 10));
    return code;
}

const char *company_email(struct arena *arena, struct random *random, const struct company *company)
{
    static const double typo = 0.05, other_box = 0.06;
    if (random_chance(random, other_box))
        return arena_format(arena, "info%s", strchr(company->email, '@'));
    char *email = arena_text(arena, company->email);
    if (random_chance(random, typo))
        typo_make(random, email);
    return email;
}
