/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the test builds (CMake option ZONEFAN_TESTING: presets dev, tsan, fuzz, coverage) have and a release never has: named points
 * where the process may be killed, and planted bugs, by which tests show that they would find such a bug.
 *
 * FAULT_POINT(name): environment ZONEFAN_KILL_AT=name:n ends the process by SIGKILL when that point is passed the n-th
 * time. PLANTED(name): true if environment ZONEFAN_PLANTED=name. TRACEABLE(): true if there is a ZONEFAN_TRACEABLE: tests of
 * another user than root look into the process. In a release the one is nothing and the others are false, and no name is in
 * the binary (tests/release).
 *
 * Any thread; neither blocks. A name that is none ends the process at the first question: a test with a misspelt name would test nothing.
 */
#pragma once

#include <stdbool.h>

/* In the order in which a push passes them. */
#define TESTING_POINTS(X)                                                                                    \
	X(push_received)         /* its request is complete */                                               \
	X(push_parsed)                                                                                       \
	X(before_commit)         /* of a turn with commands, to the store */                                 \
	X(after_commit)                                                                                      \
	X(before_answer)                                                                                     \
	X(after_answer)          /* handed to the connection, perhaps not sent */                            \
	X(job_sent)              /* to a lane */                                                             \
	X(before_delivery)       /* the lane's thread has it */                                              \
	X(before_remote_write)   /* its zones are locked at a database */                                    \
	X(after_remote_commit)                                                                               \
	X(result_received)       /* by the engine */                                                         \
	X(before_applied)        /* of a turn with results, to the store */                                  \
	X(after_applied)

/* reliability.md 6.2, decisions.md 25; synchronous_off is a control of the power cuts. */
#define TESTING_BUGS(X)                                                                                      \
	X(ack_before_commit)                                                                                 \
	X(synchronous_normal)                                                                                \
	X(synchronous_off)                                                                                   \
	X(commit_after_1205)                                                                                 \
	X(retry_old_body)                                                                                    \
	X(replace_into_zones)                                                                                \
	X(no_fence)                                                                                          \
	X(down_burns_attempts)                                                                               \
	X(digest_check_off)                                                                                  \
	X(delete_on_empty_list)                                                                              \
	X(no_address_limit)                                                                                  \
	X(secret_in_log)                                                                                     \
	X(tombstone_forgotten)

#ifdef ZONEFAN_TESTING

#define TESTING_ENUM_POINT(name) TESTING_POINT_##name,
#define TESTING_ENUM_BUG(name) TESTING_BUG_##name,

enum testing_point { TESTING_POINTS(TESTING_ENUM_POINT) TESTING_POINT_COUNT };
enum testing_bug { TESTING_BUGS(TESTING_ENUM_BUG) TESTING_BUG_COUNT };

void testing_pass(enum testing_point point);
bool testing_is_planted(enum testing_bug bug);
bool testing_is_traceable(void);

#define FAULT_POINT(name) testing_pass(TESTING_POINT_##name)
#define PLANTED(name) testing_is_planted(TESTING_BUG_##name)
#define TRACEABLE() testing_is_traceable()

#else

#define FAULT_POINT(name) ((void)0)
#define PLANTED(name) false
#define TRACEABLE() false

#endif
