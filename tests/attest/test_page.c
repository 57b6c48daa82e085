/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/attest/test_page.c - the page that `explain --html` writes, looked at with a browser
 *
 * Chromium, headless, lays the page out in a frame; a page of ours around it asks the browser what came of it: each link's
 * computed colour and size, whether the text of a hostile log became markup, whether anything is wider than a telephone.
 * Skipped, loudly, where there is no Chromium.
 */
#include "tests/attest/world.h"

#include "attest/explain.h"
#include "common/file.h"
#include "common/proc.h"

#include <sys/stat.h>
#include <unistd.h>

#define MAX_SAID 65536

static struct explanation x; /* large */
static char dir[64];

/* What the browser is asked; one line an answer. 360 pixels: a telephone's width. */
static const char look[] =
	"<!DOCTYPE html><body><pre id=\"out\">the page was not loaded</pre><iframe id=\"f\" src=\"page.html\" width=\"360\" height=\"800\"></iframe>"
	"<script>document.getElementById('f').onload=function(){var d=this.contentDocument,w=this.contentWindow,o=[];"
	"o.push('verdict '+w.getComputedStyle(d.querySelector('.verdict')).borderLeftColor);"
	"var last=0;d.querySelectorAll('ol>li').forEach(function(l,i){var r=l.getBoundingClientRect();"
	"o.push('link '+i+' '+w.getComputedStyle(l).borderTopColor+' '+(r.height>20&&r.top>=last?'laid out':'MISPLACED'));last=r.bottom;});"
	"o.push('scripts '+d.querySelectorAll('script,img,iframe,link').length);"
	"o.push('pwned '+('pwned' in w));"
	"o.push('overflow '+(d.documentElement.scrollWidth>d.documentElement.clientWidth));"
	"o.push('hostile text '+d.body.innerText.includes('<scr'+'ipt>window.pwned=1</scr'+'ipt>'));"
	"document.getElementById('out').textContent=o.join(String.fromCharCode(10))+String.fromCharCode(10)+'end';};</script></body>";

static const char *path_of(const char *name)
{
	static char path[2][128];
	static int i;

	i = !i;
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static const char *browser(void)
{
	static const char *const names[] = {"/usr/bin/chromium", "/usr/bin/chromium-headless-shell"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (access(names[i], X_OK) == 0)
			return names[i];
	return NULL;
}

/* The page of @w by its own reference values @rv in @ret, as the browser understood it. */
static void show(struct world *w, struct buf *ret)
{
	const struct explain_input in = {.evidence = {w->evidence.data, w->evidence.len},
					 .nonce = w->nonce,
					 .enrolment = &w->enrolment};
	struct explain_input own = in;
	cleanup_buf struct buf page = BUF_INIT;
	char profile[160], url[160];
	const char *const argv[] = {browser(), "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", profile,
				    "--virtual-time-budget=10000", "--dump-dom", url, NULL};
	const struct proc_params p = {.argv = argv, .quiet = 1, .out = ret, .out_max = MAX_SAID};
	struct refvalues rv = {0};
	struct err e = ERR_INIT;

	assert_ok(refvalues_parse(w->refvalues, strlen(w->refvalues), "r", &rv, &e), &e);
	own.set = &(struct judge_set){.n = 1, .rv = &rv};
	assert_ok(explain(&own, &x, &e), &e);
	assert_ok(explain_html(&x, &rv, &page, &e), &e);
	assert_ok(file_write(path_of("page.html"), page.data, page.len, 0644, &e), &e);
	assert_ok(file_write(path_of("look.html"), look, strlen(look), 0644, &e), &e);
	(void)snprintf(profile, sizeof(profile), "--user-data-dir=%s/profile", dir);
	(void)snprintf(url, sizeof(url), "file://%s/look.html", dir);
	ret->len = 0;
	assert_ok(proc_run(&p, &e), &e);
	buf_u8(ret, 0);
	assert_false(ret->bad);
	if (!strstr((const char *)ret->data, "\nend</pre>"))
		fail_msg("the browser did not answer: %.3000s", (const char *)ret->data);
	refvalues_free(&rv);
}

static void want(const struct buf *said, const char *line)
{
	if (!strstr((const char *)said->data, line))
		fail_msg("the browser does not say \"%s\": %.1500s", line, (const char *)said->data);
}

/* Colours of the style in daylight: good, bad, neither. */
#define GREEN "rgb(26, 127, 55)"
#define RED   "rgb(192, 35, 44)"
#define GREY  "rgb(107, 114, 128)"

static const char *colour_of(enum explain_state s)
{
	return s == EXPLAIN_GOOD ? GREEN : s == EXPLAIN_BAD ? RED : GREY;
}

static void want_links(const struct buf *said)
{
	for (int i = 0; i < EXPLAIN_LINKS_; i++) {
		char line[96];

		(void)snprintf(line, sizeof(line), "link %d %s laid out", i, colour_of(x.link[i]));
		want(said, line);
	}
	want(said, "scripts 0");
	want(said, "pwned false");
	want(said, "overflow false");
}

static void a_sound_host_is_a_green_chain(void **state)
{
	cleanup_buf struct buf said = BUF_INIT;
	struct world *w;

	(void)state;
	if (!browser())
		skip();
	w = world_sound();
	world_seal(w);
	show(w, &said);
	assert_int_equal(x.n, 0);
	assert_int_equal(x.link[EXPLAIN_LINK_UKI], EXPLAIN_GOOD);
	want(&said, "verdict " GREEN);
	want(&said, "hostile text false");
	want_links(&said);
	world_free(w);
}

static void a_hostile_log_is_a_red_link_and_no_markup(void **state)
{
	cleanup_buf struct buf said = BUF_INIT;
	struct world *w;

	(void)state;
	if (!browser())
		skip();
	w = world_sound();
	w_text(&w->firmware, 12, 0xd, "<script>window.pwned=1</script><img src=x onerror=pwned=1>");
	w_sha256("another UKI", 11, w->firmware.v[w_find(&w->firmware, 4, "UKI")].digest);
	w_ima_sound(w);
	world_seal(w);
	show(w, &said);
	assert_int_equal(x.link[EXPLAIN_LINK_NOTHING_ADDED], EXPLAIN_BAD);
	assert_int_equal(x.link[EXPLAIN_LINK_UKI], EXPLAIN_BAD);
	assert_int_equal(x.link[EXPLAIN_LINK_ROOT], EXPLAIN_GOOD);
	want(&said, "verdict " RED);
	want(&said, "hostile text true");
	want_links(&said);
	world_free(w);
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/holdfast-page-XXXXXX");
	assert_non_null(mkdtemp(dir));
	if (!browser())
		fprintf(stderr, "\n*** SKIP: no Chromium: the page is not looked at.\n\n");
	return 0;
}

static int tear_down(void **state)
{
	const char *const argv[] = {"rm", "-rf", dir, NULL};
	const struct proc_params p = {.argv = argv};
	struct err e = ERR_INIT;

	(void)state;
	return proc_run(&p, &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_host_is_a_green_chain),
		cmocka_unit_test(a_hostile_log_is_a_red_link_and_no_markup),
	};

	return cmocka_run_group_tests_name("attest/page", tests, set_up, tear_down);
}
