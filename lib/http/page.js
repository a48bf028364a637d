// SPDX-License-Identifier: GPL-3.0-or-later
// Fetches the page again every few seconds and replaces the panels that changed. Without it the page works as well.
(() => {
	"use strict";
	const EVERY_MS = 5000, PATIENCE_MS = 10000;
	const live = document.getElementById("live");
	let last = Date.now(), timer;

	// Who is about to press a button, or marks a text, shall not have it taken from under the hand.
	function inUse(panel) {
		const marked = getSelection();
		return panel.contains(document.activeElement) || panel.querySelector("details[open]") ||
			(!marked.isCollapsed && panel.contains(marked.anchorNode));
	}

	function replace(fresh) {
		for (const panel of fresh.querySelectorAll("main > [id]")) {
			const old = document.getElementById(panel.id);
			if (!old) {
				location.reload();
				return;
			}
			if (old.outerHTML !== panel.outerHTML && !inUse(old))
				old.replaceWith(panel);
		}
		document.title = fresh.title;
		document.querySelector("link[rel=icon]").href = fresh.querySelector("link[rel=icon]").href;
		live.textContent = fresh.getElementById("live").textContent;
	}

	function lost(why) {
		live.textContent = why + " for " + Math.round((Date.now() - last) / 1000) + " s";
		document.body.classList.add("lost");
	}

	// The browser would ask for a login again and again.
	function shutOut(status) {
		timer = undefined;
		live.textContent = "Refused (" + status + "): load the page again to log in";
		document.body.classList.add("lost");
	}

	async function refresh() {
		clearTimeout(timer);
		if (!document.hidden) {
			try {
				const answer = await fetch(location.origin + location.pathname + location.search, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
				if (answer.ok) {
					replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
					document.body.classList.remove("lost");
					last = Date.now();
				} else if (answer.status === 401 || answer.status === 403) {
					shutOut(answer.status);
					return;
				} else {
					lost("Refused (" + answer.status + ")");
				}
			} catch {
				lost("No answer");
			}
		}
		timer = setTimeout(refresh, EVERY_MS);
	}

	document.addEventListener("visibilitychange", () => document.hidden || timer === undefined || refresh());
	live.classList.add("on");
	timer = setTimeout(refresh, EVERY_MS);
})();
