/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/testing.h"

void privilege_protect(void)
{
	struct rlimit none = { 0 };

	setrlimit(RLIMIT_CORE, &none);
	/* The limit alone does not keep a core from a program that the kernel pipes it to. */
	if (!TRACEABLE())
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int refuse(struct err *err, const char *what, const struct passwd *entry)
{
	return err_set(err, ERR_DENIED, "app.user: %s user %s (%u): %s", what, entry->pw_name, (unsigned)entry->pw_uid,
		strerror(errno));
}

/* All three ids of each kind are his, and root's are out of reach. */
static bool is_settled(const struct passwd *entry)
{
	uid_t uid[3];
	gid_t gid[3];

	if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || getresgid(&gid[0], &gid[1], &gid[2]) != 0)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(uid); i++) {
		if (uid[i] != entry->pw_uid || gid[i] != entry->pw_gid)
			return false;
	}
	return setuid(0) != 0 && seteuid(0) != 0 && (entry->pw_gid == 0 || (setgid(0) != 0 && setegid(0) != 0));
}

static int become(const struct passwd *entry, struct err *err)
{
	/* The groups first: afterwards there is no right to change them. */
	if (initgroups(entry->pw_name, entry->pw_gid) != 0)
		return refuse(err, "can't take the groups of", entry);
	if (setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
		setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
		return refuse(err, "can't become", entry);
	/* Another user's process is dumpable as the host likes it. */
	privilege_protect();
	if (!is_settled(entry))
		return err_set(err, ERR_DENIED, "app.user: as user %s root is still in reach", entry->pw_name);
	return ERR_OK;
}

int privilege_become(const char *user, struct err *err)
{
	if (*user == '\0')
		return ERR_OK;
	errno = 0;
	const struct passwd *entry = getpwnam(user);
	if (entry == NULL)
		return err_set(err, ERR_NOTFOUND, "app.user: there is no user %s%s%s", user, errno != 0 ? ": " : "",
			errno != 0 ? strerror(errno) : "");
	if (geteuid() == 0 && entry->pw_uid != 0)
		return become(entry, err);
	if (geteuid() == entry->pw_uid)
		return ERR_OK;
	return err_set(err, ERR_DENIED, "app.user: only root can become user %s; this is user %u", user, (unsigned)geteuid());
}
