/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tools of the tests themselves: a fault point kills at the n-th passing and at no other, a planted bug is the one that was asked for. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/testing.h"

enum { SURVIVED = 42 };

/* The environment is read once per process, so each question needs a new one. */
static int status_of(const char *variable, const char *value, int (*run)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		static const struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		setenv(variable, value, 1);
		_exit(run());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int pass_twice(void)
{
	FAULT_POINT(before_commit);
	FAULT_POINT(after_commit);
	FAULT_POINT(before_commit);
	return SURVIVED;
}

static int ask(void)
{
	return PLANTED(no_fence) ? SURVIVED : SURVIVED + 1;
}

static void test_kill_at_the_nth(void **state)
{
	(void)state;
	int status = status_of("ZONEFAN_KILL_AT", "before_commit:2", pass_twice);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	status = status_of("ZONEFAN_KILL_AT", "after_commit", pass_twice);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	status = status_of("ZONEFAN_KILL_AT", "before_commit:3", pass_twice);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED);
	status = status_of("ZONEFAN_KILL_AT", "job_sent:1", pass_twice);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED);
}

static void test_one_bug_is_planted(void **state)
{
	(void)state;
	int status = status_of("ZONEFAN_PLANTED", "no_fence", ask);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED);
	status = status_of("ZONEFAN_PLANTED", "secret_in_log", ask);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED + 1);
}

static void test_misspelt_names_end_the_process(void **state)
{
	static const char *const variables[] = { "ZONEFAN_KILL_AT", "ZONEFAN_PLANTED" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		int status = status_of(variables[i], "before_comit:1", ask);

		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill_at_the_nth),
		cmocka_unit_test(test_one_bug_is_planted),
		cmocka_unit_test(test_misspelt_names_end_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
