/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads with a name and all signals blocked (the loop thread takes them).
 */
#pragma once

#include <pthread.h>

/* Starts run(arg) in a thread named name (at most 15 characters are kept). Ends the process if none can be had. */
pthread_t thread_start(const char *name, void *(*run)(void *), void *arg);
void thread_join(pthread_t thread);
