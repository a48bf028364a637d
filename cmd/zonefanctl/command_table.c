/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All commands of zonefanctl. --help, the manual and the completions of shells come from here; so a new command is one row
 * here, and a new option one row in arguments.c.
 */
#include "audit.h"
#include "backup.h"
#include "base/check.h"
#include "check.h"
#include "complete.h"
#include "da.h"
#include "dead.h"
#include "doctor.h"
#include "freeze.h"
#include "heal.h"
#include "held.h"
#include "history.h"
#include "import.h"
#include "orders.h"
#include "peers.h"
#include "plan.h"
#include "reconcile.h"
#include "retire.h"
#include "setup.h"
#include "top.h"
#include "views.h"

const struct command commands_table[] = {
	{ .name = "status", .run = views_status,
	  .help = "every data centre: state, since when, what is behind, why" },
	{ .name = "ready", .run = views_ready,
	  .help = "whether pushes can be taken and made durable now: for health checks" },
	{ .name = "top", .run = top_command,
	  .help = "a live view in a terminal: data centres, what is under way, the newest events; q leaves",
	  .options = { { OPTION_ONCE, "print one view, and no more" } } },
	{ .name = "zones", .run = views_zones,
	  .help = "all zones" },
	{ .name = "zone", .arguments = "NAME", .least = 1, .most = 1, .run = views_zone,
	  .help = "one zone and its deliveries" },
	{ .name = "rejected", .arguments = "[NAME]", .most = 1, .run = views_rejected,
	  .help = "pushes that were refused; with NAME the refused text too" },
	{ .name = "events", .run = audit_events,
	  .help = "the newest events: who did what, when, from where",
	  .options = { { OPTION_FOLLOW, "and those to come, also over a restart of zonefand; with --json a line each" },
		       { OPTION_ZONE, "of that zone alone" },
		       { OPTION_KIND, "of that kind alone" } } },
	{ .name = "retry", .arguments = "[NAME]", .most = 1, .run = orders_retry,
	  .help = "try every delivery that waits (of that zone) now; a zone that is clean is compared" },
	{ .name = "plan", .arguments = "[NAME]", .most = 1, .run = plan_command,
	  .help = "what would be written at every back end now (of that zone), record by record; nothing is written",
	  .options = { { OPTION_BACKEND, "at this one alone" } } },
	{ .name = "heal", .run = heal_command,
	  .help = "compare every zone at every back end with what is wanted, deliver again what differs, and wait for it",
	  .options = { { OPTION_BACKEND, "at this one alone" },
		       { OPTION_DRY_RUN, "deliver nothing, only say what differs (events tells the zones)" },
		       { OPTION_NO_WAIT, "do not wait" },
		       { OPTION_LAST, "begin none, only say what came of the newest, also of those that began by themselves" },
		       { OPTION_STOP, "end what is under way instead; what it found is delivered all the same" } } },
	{ .name = "reconcile", .run = reconcile_command,
	  .help = "ask the DirectAdmin masters for their zones now, and wait for it; it counts as an orphan pass",
	  .options = { { OPTION_DRY_RUN, "change nothing, only say what differs" },
		       { OPTION_LAST, "begin none, only say what came of the newest" },
		       { OPTION_NO_WAIT, "do not wait" } } },
	{ .name = "orphans", .run = orphans_command,
	  .help = "zones that their masters do not list any more" },
	{ .name = "pause", .arguments = "BACKEND", .least = 1, .most = 1, .run = orders_pause,
	  .help = "send nothing more there; pushes are taken all the same, also over restarts, until it is resumed" },
	{ .name = "resume", .arguments = "BACKEND", .least = 1, .most = 1, .run = orders_resume,
	  .help = "deliver again, all that waits" },
	{ .name = "reload", .run = orders_reload,
	  .help = "read configuration, secrets and certificates again, and say what changed and what waits for a restart" },
	{ .name = "backup", .arguments = "FILE", .least = 1, .most = 1, .run = backup_command,
	  .help = "a copy of the store, written by zonefand while it runs, or under the store's lock while it is down, where its\n"
		  "user may write. To restore: stop zonefand, take away the store with its -wal and -shm, put FILE in its\n"
		  "place, for zonefand's user, and start" },
	{ .name = "retire", .arguments = "BACKEND", .least = 1, .most = 1, .run = retire_command,
	  .help = "what the store still has of a back end that is not configured any more",
	  .options = { { OPTION_CONFIRM, "drop it" } } },
	{ .name = "history", .arguments = "NAME", .least = 1, .most = 1, .run = history_command,
	  .help = "the last texts of that zone" },
	{ .name = "diff", .arguments = "NAME A [B]", .least = 2, .most = 3, .run = history_diff,
	  .help = "what changed between two versions of it; B is the present one" },
	{ .name = "rollback", .arguments = "NAME VERSION", .least = 2, .most = 2, .run = history_rollback,
	  .help = "serve the content of that version again, until the master's next push" },
	{ .name = "undelete", .arguments = "NAME", .least = 1, .most = 1, .run = history_undelete,
	  .help = "bring back a zone that was deleted in the last 30 days" },
	{ .name = "dead", .arguments = "list | show NAME | replay [NAME] | drop NAME", .least = 1, .most = 2, .run = dead_command,
	  .help = "deliveries that were given up for an hour, or that a back end can't hold: list them, show what waits, try them\n"
		  "now, or drop them: then only a push, a thaw or a replay tries them again",
	  .options = { { OPTION_BACKEND, "of this one alone" },
		       { OPTION_ALL, "list: dropped ones too" } } },
	{ .name = "import", .arguments = "directdnsonly PATH | backend BACKEND", .least = 2, .most = 2, .traits = COMMAND_ALONE, .run = import_command,
	  .help = "take over what stood elsewhere before, where nothing newer is held (works without zonefand): the zones of\n"
		  "directdnsonly's own database (PATH: the file, or its folder), or those in a back end's database",
	  .options = { { OPTION_DRY_RUN, "only say what would come of it, and how the back ends differ" },
		       { OPTION_PREFER, "backend: zones that differ there are taken from this one" } } },
	{ .name = "freeze", .arguments = "NAME", .least = 1, .most = 1, .run = freeze_command,
	  .help = "store what is pushed of that zone, and deliver nothing of it, until it is thawed" },
	{ .name = "thaw", .arguments = "NAME", .least = 1, .most = 1, .run = freeze_thaw,
	  .help = "deliver the newest of it" },
	{ .name = "peers", .arguments = "[sync]", .most = 1, .run = peers_command,
	  .help = "what is known of each peer; with sync after a pass over all of them",
	  .options = { { OPTION_NO_WAIT, "do not wait for that pass" } } },
	{ .name = "held", .arguments = "list | show ID", .least = 1, .most = 2, .run = held_command,
	  .help = "what waits for your word, and what it would change" },
	{ .name = "approve", .arguments = "ID", .least = 1, .most = 1, .run = held_approve,
	  .help = "put in force what is held as ID, as it is" },
	{ .name = "discard", .arguments = "ID", .least = 1, .most = 1, .run = held_discard,
	  .help = "drop what is held as ID" },
	{ .name = "da", .arguments = "register MASTER | status MASTER | push-all MASTER", .least = 2, .most = 2, .traits = COMMAND_ALONE,
	  .run = da_command,
	  .help = "with a DirectAdmin master of reconciliation.directadmin_servers: make this an Extra DNS server of it, with Zone Transfer\n"
		  "and Domain Check on; say what it has of us, and where two masters have one domain; say how it pushes all zones again",
	  .options = { { OPTION_ADDRESS, "of this host, by which the master reaches it; default: app.listen_address" },
		       { OPTION_DRY_RUN, "register: change nothing there" },
		       { OPTION_FOLLOW, "push-all: wait until each zone has been pushed" } } },
	{ .name = "setup", .arguments = "[KEY=VALUE]...", .most = SETUP_WORDS_MOST, .traits = COMMAND_BARE, .run = setup_command,
	  .help = "make a configuration: asks for data centres and masters, tests each, and writes the file that --config names\n"
		  "(default: /etc/zonefan/app.yml), passwords in files beside it. Without a terminal by KEY=VALUE words, KEY being\n"
		  "one of app.yml: dns.backends.dc1.host=192.0.2.10, reconciliation.directadmin_servers.1.hostname=da1.example",
	  .options = { { OPTION_CONFIRM, "write it, though a test failed" },
		       { OPTION_DRY_RUN, "test alone, write nothing" },
		       { OPTION_OVERWRITE, "replace the file if it is there; the old one is kept as FILE.old" } } },
	{ .name = "doctor", .traits = COMMAND_BARE, .run = doctor_command,
	  .help = "look at everything, with zonefand up or down: configuration, rights, port, store, databases, masters, peers, room;\n"
		  "and say of each fault what to do about it. Changes nothing" },
	{ .name = "check", .traits = COMMAND_BARE, .run = check_command,
	  .help = "check the configuration and print the effective one (works without zonefand)" },
	{ .name = "complete", .arguments = "zones [NAME] | backends [BACKEND] | masters [MASTER]", .least = 1, .most = 2,
	  .traits = COMMAND_ALONE, .run = complete_command,
	  .help = "names that begin so, a line each: for the completions of shells" },
};

const size_t commands_count = ARRAY_SIZE(commands_table);
