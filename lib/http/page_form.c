/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The buttons of the page: plain forms, so that they work without a script. */
#include "http/html.h"
#include "http/page_draw.h"

static void draw_form(struct buf *out, const struct page_look *look, const char *action, const char *label, bool danger,
	const struct page_value *values)
{
	html_put(out, "<form method=\"post\" action=\"/page/%s\"><input type=\"hidden\" name=\"token\" value=\"%s\">", action,
		look->token);
	if (look->kind == PAGE_ZONE)
		buf_puts(out, "<input type=\"hidden\" name=\"back\" value=\"zone\">");
	for (; values != NULL && values->key != NULL; values++)
		html_put(out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", values->key, values->value);
	html_put(out, "<button%s>%s</button></form>", danger ? " class=danger" : "", label);
}

void page_button(struct buf *out, const struct page_look *look, const char *action, const char *label, const char *sure,
	const struct page_value *values)
{
	if (!look->may_change)
		return;
	if (sure == NULL) {
		draw_form(out, look, action, label, false, values);
		return;
	}
	/* Its id tells the script which of them is open. */
	html_put(out, "<details class=\"sure\" id=\"sure-%s", action);
	for (const struct page_value *value = values; value != NULL && value->key != NULL; value++)
		html_put(out, "-%s", value->value);
	html_put(out, "\"><summary>%s</summary><div><p>%s</p>", label, sure);
	draw_form(out, look, action, label, true, values);
	buf_puts(out, "</div></details>");
}
