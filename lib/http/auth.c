/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/auth.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/testing.h"

/* A set-associative table: an attacker with many addresses only evicts others of his set. */
enum { SETS = 512, WAYS = 8 };

/* Tokens are counted in 1/60000, so that "per minute" is tokens per millisecond. */
enum { TOKEN = 60000 };

struct bucket {
	int64_t tokens;
	int64_t at_ms;
};

struct slot {
	bool used;
	uint8_t address[AUTH_ADDRESS_SIZE];
	struct bucket bucket;
};

struct secret {
	uint8_t name[HASH_SIZE];
	uint8_t password[HASH_SIZE];
};

struct member {
	struct auth_login login; /* the first: by its address the member is found */
	struct secret secret;
	struct roster *roster;
};

/* The logins of one configuration. Counted, not copied: whoever was let in by one keeps it. */
struct roster {
	size_t holders;
	size_t count;
	struct member members[];
};

struct auth {
	struct roster *roster;
	uint8_t seed[16];
	struct bucket global;
	bool global_used;
	struct slot slots[SETS][WAYS];
};

static struct roster *make_roster(const struct auth_login *logins, size_t count)
{
	struct roster *roster = xcalloc(1, sizeof(*roster) + count * sizeof(roster->members[0]));

	roster->holders = 1;
	roster->count = count;
	for (size_t i = 0; i < count; i++) {
		struct member *member = &roster->members[i];

		member->roster = roster;
		member->login = (struct auth_login){ .name = xstrdup(logins[i].name), .role = logins[i].role,
			.identities = xstrdup(logins[i].identities) };
		hash_sha256(logins[i].name, strlen(logins[i].name), member->secret.name);
		hash_sha256(logins[i].password, strlen(logins[i].password), member->secret.password);
	}
	return roster;
}

static void leave_roster(struct roster *roster)
{
	if (--roster->holders > 0)
		return;
	for (size_t i = 0; i < roster->count; i++) {
		free((char *)(uintptr_t)roster->members[i].login.name);
		free((char *)(uintptr_t)roster->members[i].login.identities);
	}
	explicit_bzero(roster->members, roster->count * sizeof(roster->members[0]));
	free(roster);
}

struct auth *auth_create(const struct auth_login *logins, size_t count)
{
	struct auth *auth = xcalloc(1, sizeof(*auth));

	auth->roster = make_roster(logins, count);
	hash_random(auth->seed, sizeof(auth->seed));
	return auth;
}

void auth_replace(struct auth *auth, const struct auth_login *logins, size_t count)
{
	leave_roster(auth->roster);
	auth->roster = make_roster(logins, count);
}

void auth_destroy(struct auth *auth)
{
	if (auth == NULL)
		return;
	leave_roster(auth->roster);
	explicit_bzero(auth, sizeof(*auth));
	free(auth);
}

void auth_hold(const struct auth_login *login)
{
	((const struct member *)login)->roster->holders++;
}

void auth_release(const struct auth_login *login)
{
	leave_roster(((const struct member *)login)->roster);
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 4, padding optional. NULL if text is no base64. The result has a NUL behind its size bytes. */
static char *base64_decode(const char *text, size_t *out_size)
{
	size_t length = strcspn(text, "=");
	char *out = xmalloc(length / 4 * 3 + 4);
	uint32_t bits = 0;
	unsigned count = 0;
	size_t used = 0;

	if (strspn(text + length, "=") != strlen(text + length) || strlen(text + length) > 2 || length % 4 == 1) {
		free(out);
		return NULL;
	}
	for (size_t i = 0; i < length; i++) {
		int value = base64_value(text[i]);

		if (value < 0) {
			free(out);
			return NULL;
		}
		bits = (bits << 6 | (uint32_t)value) & 0xffffff;
		count += 6;
		if (count >= 8) {
			count -= 8;
			out[used++] = (char)(bits >> count & 0xff);
		}
	}
	out[used] = '\0';
	*out_size = used;
	return out;
}

/* All are compared, wherever one fits: how long it takes tells nothing. */
static const struct auth_login *find_login(const struct auth *auth, const struct secret *given)
{
	const struct auth_login *found = NULL;

	for (size_t i = 0; i < auth->roster->count; i++) {
		const struct member *member = &auth->roster->members[i];
		bool name_good = hash_equal(given->name, member->secret.name);
		bool password_good = hash_equal(given->password, member->secret.password);

		if (name_good & password_good)
			found = &member->login;
	}
	return found;
}

static const struct auth_login *match(const struct auth *auth, const char *authorization)
{
	const struct auth_login *login;
	struct secret given;
	char *pair;
	size_t size, name_size;

	if (strncasecmp(authorization, "Basic ", 6) != 0)
		return NULL;
	authorization += 6;
	authorization += strspn(authorization, " ");
	pair = base64_decode(authorization, &size);
	if (pair == NULL)
		return NULL;
	name_size = memchr(pair, ':', size) != NULL ? (size_t)((char *)memchr(pair, ':', size) - pair) : size;
	hash_sha256(pair, name_size, given.name);
	hash_sha256(pair + name_size + (name_size < size), size - name_size - (name_size < size), given.password);
	login = find_login(auth, &given);
	explicit_bzero(&given, sizeof(given));
	explicit_bzero(pair, size);
	free(pair);
	return name_size < size ? login : NULL;
}

static bool bucket_take(struct bucket *bucket, int64_t burst, int64_t per_minute, int64_t now_ms)
{
	int64_t passed = now_ms - bucket->at_ms;

	if (passed > 0 && passed < INT32_MAX)
		bucket->tokens += passed * per_minute;
	if (passed >= INT32_MAX || bucket->tokens > burst * TOKEN)
		bucket->tokens = burst * TOKEN;
	bucket->at_ms = now_ms;
	if (bucket->tokens < TOKEN)
		return false;
	bucket->tokens -= TOKEN;
	return true;
}

static struct bucket *find_bucket(struct auth *auth, const uint8_t address[AUTH_ADDRESS_SIZE], int64_t now_ms)
{
	uint8_t key[sizeof(auth->seed) + AUTH_ADDRESS_SIZE], hash[HASH_SIZE];
	struct slot *set, *oldest;

	memcpy(key, auth->seed, sizeof(auth->seed));
	memcpy(key + sizeof(auth->seed), address, AUTH_ADDRESS_SIZE);
	hash_sha256(key, sizeof(key), hash);
	set = auth->slots[(hash[0] | hash[1] << 8) % SETS];
	oldest = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].used && memcmp(set[i].address, address, AUTH_ADDRESS_SIZE) == 0)
			return &set[i].bucket;
		if (oldest->used && (!set[i].used || set[i].bucket.at_ms < oldest->bucket.at_ms))
			oldest = &set[i];
	}
	oldest->used = true;
	memcpy(oldest->address, address, AUTH_ADDRESS_SIZE);
	oldest->bucket = (struct bucket){ .tokens = (int64_t)AUTH_ADDRESS_BURST * TOKEN, .at_ms = now_ms };
	return &oldest->bucket;
}

enum auth_verdict auth_check(struct auth *auth, const char *authorization, const uint8_t address[AUTH_ADDRESS_SIZE],
	int64_t now_ms, const struct auth_login **login)
{
	if (authorization == NULL)
		return AUTH_ABSENT;
	*login = match(auth, authorization);
	if (*login != NULL)
		return AUTH_GOOD;
	if (!auth->global_used) {
		auth->global_used = true;
		auth->global = (struct bucket){ .tokens = (int64_t)AUTH_GLOBAL_BURST * TOKEN, .at_ms = now_ms };
	}
	/* An address that is over its own limit does not drain everybody's. */
	if (!PLANTED(no_address_limit) &&
		!bucket_take(find_bucket(auth, address, now_ms), AUTH_ADDRESS_BURST, AUTH_ADDRESS_PER_MINUTE, now_ms))
		return AUTH_LIMITED;
	if (!bucket_take(&auth->global, AUTH_GLOBAL_BURST, AUTH_GLOBAL_PER_MINUTE, now_ms))
		return AUTH_LIMITED;
	return AUTH_WRONG;
}

bool auth_may(enum auth_role role, enum auth_act act)
{
	switch (act) {
	case AUTH_PUSH:
		return role == AUTH_ALL || role == AUTH_MASTER;
	case AUTH_LOOK:
		return role == AUTH_ALL || role == AUTH_OPERATOR || role == AUTH_READER;
	case AUTH_CHANGE:
		return role == AUTH_ALL || role == AUTH_OPERATOR;
	case AUTH_EXCHANGE:
		return role == AUTH_ALL || role == AUTH_OPERATOR || role == AUTH_PEER;
	}
	WRONG("an act that is none");
}
