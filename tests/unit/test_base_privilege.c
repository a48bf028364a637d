/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rights are given up in a child of its own: they can't come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/privilege.h"

static const char somebody[] = "nobody", another[] = "daemon";

#define EXPECT(condition)                                                                                    \
	do {                                                                                                 \
		if (!(condition)) {                                                                          \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                              \
			_exit(1);                                                                            \
		}                                                                                            \
	} while (0)

static void in_a_child(void (*run)(void))
{
	int status = -1;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void protect(void)
{
	struct rlimit core;

	privilege_protect();
	EXPECT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	EXPECT(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
}

#ifdef ZONEFAN_TESTING
static void stay_traceable(void)
{
	setenv("ZONEFAN_TRACEABLE", "1", 1);
	privilege_protect();
	EXPECT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
}

static void a_test_may_look(void **state)
{
	(void)state;
	in_a_child(stay_traceable);
}
#endif

static void nobody_looks_into_the_memory(void **state)
{
	(void)state;
	in_a_child(protect);
}

static bool is_in_group(gid_t group)
{
	gid_t groups[64];
	int count = getgroups(64, groups);

	for (int i = 0; i < count; i++) {
		if (groups[i] == group)
			return true;
	}
	return count < 0;
}

static void step_down(void)
{
	const struct passwd *entry = getpwnam(somebody);
	const gid_t roots[2] = { 0, 4 };
	uid_t uid[3], wanted;
	gid_t gid[3], group;
	struct err err;

	EXPECT(entry != NULL);
	wanted = entry->pw_uid;
	group = entry->pw_gid;
	EXPECT(setgroups(2, roots) == 0);
	EXPECT(privilege_become(somebody, &err) == ERR_OK);
	EXPECT(getresuid(&uid[0], &uid[1], &uid[2]) == 0 && getresgid(&gid[0], &gid[1], &gid[2]) == 0);
	for (unsigned i = 0; i < 3; i++)
		EXPECT(uid[i] == wanted && gid[i] == group);
	EXPECT(!is_in_group(0) && !is_in_group(4) && is_in_group(group));
	EXPECT(setuid(0) != 0 && setgid(0) != 0 && setgroups(2, roots) != 0);
	EXPECT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	/* It is him already, and nobody else from here on. */
	EXPECT(privilege_become(somebody, &err) == ERR_OK);
	EXPECT(privilege_become(another, &err) == ERR_DENIED);
	EXPECT(privilege_become("root", &err) == ERR_DENIED);
}

static void root_becomes_another_for_good(void **state)
{
	struct err err;

	(void)state;
	if (geteuid() == 0)
		in_a_child(step_down);
	else
		assert_int_equal(privilege_become("root", &err), ERR_DENIED);
}

static void nothing_is_asked_for(void **state)
{
	uid_t before = geteuid();
	struct err err;

	(void)state;
	assert_int_equal(privilege_become("", &err), ERR_OK);
	assert_int_equal(geteuid(), before);
}

static void there_is_no_such_user(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(privilege_become("no-such-user-here", &err), ERR_NOTFOUND);
	assert_string_equal(err.text, "app.user: there is no user no-such-user-here");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#ifdef ZONEFAN_TESTING
		cmocka_unit_test(a_test_may_look),
#endif
		cmocka_unit_test(nobody_looks_into_the_memory),
		cmocka_unit_test(root_becomes_another_for_good),
		cmocka_unit_test(nothing_is_asked_for),
		cmocka_unit_test(there_is_no_such_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
