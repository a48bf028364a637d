/* SPDX-License-Identifier: GPL-3.0-or-later */
/* page.css and page.js as they are, built in (page_assets.c.in): the page asks for nothing else. */
#pragma once

extern const char page_css[];
extern const char page_js[];
