#include "base/time.h"

#include "base/text.h"

enum { US_PER_S = 1000000, S_PER_DAY = 86400 };

static int64_t read_clock_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

struct instant clock_now(const struct clock *clock)
{
    return (struct instant){read_clock_us(CLOCK_REALTIME) + atomic_load(&clock->offset_us)};
}

void clock_set_offset(struct clock *clock, int64_t offset_us)
{
    atomic_store(&clock->offset_us, offset_us);
}

int64_t monotonic_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

struct instant instant_add_s(struct instant at, int64_t seconds)
{
    return (struct instant){at.us + seconds * US_PER_S};
}

struct instant instant_from_unix_s(int64_t seconds)
{
    return (struct instant){seconds * US_PER_S};
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t instant_unix_s(struct instant at)
{
    return floor_div(at.us, US_PER_S);
}

/* Proleptic Gregorian calendar, years from March so that the leap day comes last. */
static int32_t days_from_civil(int32_t year, int32_t month, int32_t day)
{
    year -= month <= 2;
    int32_t era = year / 400;
    int32_t year_of_era = year - era * 400;
    int32_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int32_t days, int32_t *year, int32_t *month, int32_t *day)
{
    days += 719468;
    int32_t era = days / 146097;
    int32_t day_of_era = days - era * 146097;
    int32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t shifted = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

struct date date_of(struct instant at)
{
    return (struct date){(int32_t)floor_div(instant_unix_s(at), S_PER_DAY)};
}

char *date_format(struct arena *arena, struct date date)
{
    int32_t year, month, day;
    civil_from_days(date.days, &year, &month, &day);
    return arena_format(arena, "%04d-%02d-%02d", year, month, day);
}

char *instant_format(struct arena *arena, struct instant at)
{
    int64_t seconds = instant_unix_s(at);
    int64_t second_of_day = seconds - floor_div(seconds, S_PER_DAY) * S_PER_DAY;
    int64_t ms = (at.us - seconds * US_PER_S) / 1000;
    return arena_format(arena, "%sT%02d:%02d:%02d.%03dZ", date_format(arena, date_of(at)),
                        (int)(second_of_day / 3600), (int)(second_of_day / 60 % 60),
                        (int)(second_of_day % 60), (int)ms);
}

/* Reads exactly `n` digits at *at and moves past them. */
static bool digits(const char **at, int n, int min, int max, int *into)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += n;
    *into = value;
    return value >= min && value <= max;
}

static bool skip(const char **at, const char *any_of)
{
    if (!**at || !strchr(any_of, **at))
        return false;
    (*at)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool read_date(const char **at, struct date *into)
{
    int year, month, day;
    bool shaped = digits(at, 4, 1970, 9999, &year) && skip(at, "-") &&
                  digits(at, 2, 1, 12, &month) && skip(at, "-") && digits(at, 2, 1, 31, &day);
    if (!shaped || day > days_in_month(year, month))
        return false;
    into->days = days_from_civil(year, month, day);
    return true;
}

bool date_parse(const char *text, struct date *into)
{
    return text && read_date(&text, into) && *text == '\0';
}

static bool read_fraction(const char **at, int64_t *us)
{
    *us = 0;
    if (!skip(at, "."))
        return true;
    int n = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++, n++) {
        if (n < 6)
            *us = *us * 10 + (**at - '0');
    }
    for (int i = n; i < 6; i++)
        *us *= 10;
    return n >= 1 && n <= 9;
}

static bool read_offset(const char **at, int64_t *seconds)
{
    *seconds = 0;
    if (skip(at, "Zz"))
        return true;
    int sign = **at == '-' ? -1 : 1;
    int hours, minutes;
    if (!skip(at, "+-") || !digits(at, 2, 0, 23, &hours) || !skip(at, ":") ||
        !digits(at, 2, 0, 59, &minutes))
        return false;
    *seconds = sign * (INT64_C(3600) * hours + INT64_C(60) * minutes);
    return true;
}

bool instant_parse(const char *text, struct instant *into)
{
    struct date date;
    int hour, minute, second;
    int64_t us, offset_s;
    const char *at = text;
    bool shaped = at && read_date(&at, &date) && skip(&at, "Tt ") && digits(&at, 2, 0, 23, &hour) &&
                  skip(&at, ":") && digits(&at, 2, 0, 59, &minute) && skip(&at, ":") &&
                  digits(&at, 2, 0, 60, &second) && read_fraction(&at, &us) &&
                  read_offset(&at, &offset_s) && *at == '\0';
    if (!shaped)
        return false;
    int64_t seconds =
        (int64_t)date.days * S_PER_DAY + INT64_C(3600) * hour + INT64_C(60) * minute + second;
    into->us = (seconds - offset_s) * US_PER_S + us;
    return true;
}
