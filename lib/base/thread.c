/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/thread.h"

#include <signal.h>
#include <stdio.h>

#include "base/check.h"

pthread_t thread_start(const char *name, void *(*run)(void *), void *arg)
{
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	char kept[16];

	sigfillset(&all);
	CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	CHECK(pthread_create(&thread, NULL, run, arg) == 0);
	CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	snprintf(kept, sizeof(kept), "%s", name);
	pthread_setname_np(thread, kept);
	return thread;
}

void thread_join(pthread_t thread)
{
	CHECK(pthread_join(thread, NULL) == 0);
}
