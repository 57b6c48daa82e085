/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attest/explain_html.c - an explanation as one page for people who would rather look than read
 *
 * One file without script, image or font from anywhere; a content security policy says so to the browser as well. Every
 * text passes through put_text(). Colours follow the reader's light or dark setting; each state has a sign and a word
 * beside its colour.
 */
#include "attest/explain.h"

#include <string.h>

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<title>holdfast: why this host was judged so</title>\n<style>\n"
	":root{--bg:#fff;--fg:#1a1a1a;--dim:#5c5c5c;--card:#f4f4f5;--good:#1a7f37;--bad:#c0232c;--none:#6b7280}\n"
	"@media (prefers-color-scheme:dark){:root{--bg:#111417;--fg:#e8e8e8;--dim:#a0a6ad;--card:#1c2126;--good:#3fb950;"
	"--bad:#ff6b6b;--none:#8b949e}}\n"
	"body{background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:52rem;"
	"padding:0 1rem;overflow-wrap:anywhere}\n"
	"h1{font-size:1.5rem;margin:0}p{margin:.3rem 0}.dim{color:var(--dim)}\n"
	".verdict{border-left:.5rem solid var(--c);padding:.5rem 1rem;background:var(--card);border-radius:.3rem}\n"
	"ol{list-style:none;padding:0;margin:1.5rem 0}\n"
	"li{position:relative;margin:0 0 1.6rem;padding:.7rem 1rem .7rem 3.2rem;background:var(--card);"
	"border:2px solid var(--c);border-radius:.6rem}\n"
	"li:not(:last-child)::after{content:\"\";position:absolute;left:1.5rem;bottom:-1.75rem;height:1.6rem;"
	"border-left:4px solid var(--c)}\n"
	".sign{position:absolute;left:.75rem;top:.65rem;width:1.6rem;height:1.6rem;border-radius:50%;background:var(--c);"
	"color:var(--bg);text-align:center;line-height:1.6rem;font-weight:bold}\n"
	".good{--c:var(--good)}.bad{--c:var(--bad)}.none{--c:var(--none)}\n"
	".name{font-weight:600}.state{color:var(--c);font-weight:600}\n"
	".find{border-top:1px solid var(--dim);margin-top:.6rem;padding-top:.4rem}\n"
	"code{font:.8rem/1.4 ui-monospace,monospace;overflow-wrap:anywhere}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .8rem;margin:.3rem 0}dt{color:var(--dim)}"
	"dd{margin:0;overflow-wrap:anywhere}\n"
	"</style></head><body>\n";

static void put_text(struct buf *b, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			buf_str(b, "&lt;");
			break;
		case '>':
			buf_str(b, "&gt;");
			break;
		case '&':
			buf_str(b, "&amp;");
			break;
		case '"':
			buf_str(b, "&quot;");
			break;
		case '\'':
			buf_str(b, "&#39;");
			break;
		default:
			buf_put(b, *text >= ' ' && *text <= '~' ? text : "?", 1);
		}
	}
}

static const struct {
	const char *style, *sign, *word;
} states[] = {
	[EXPLAIN_UNKNOWN] = {"none", "?", "not proven, or not judged"},
	[EXPLAIN_GOOD] = {"good", "&#10003;", "as expected"},
	[EXPLAIN_BAD] = {"bad", "&#10007;", "differs"},
};
_Static_assert(ARRAY_SIZE(states) == EXPLAIN_BAD + 1, "each state has its look");

static void put_row(struct buf *b, const char *name, const char *text, bool code)
{
	if (!*text)
		return;
	buf_printf(b, "<dt>%s</dt><dd>%s", name, code ? "<code>" : "");
	put_text(b, text);
	buf_printf(b, "%s</dd>\n", code ? "</code>" : "");
}

static void put_finding(struct buf *b, const struct explanation *x, const struct explain_finding *f)
{
	buf_str(b, "<div class=\"find\"><p>");
	if (f->pcr >= 0)
		buf_printf(b, "<b>PCR %d</b>", f->pcr);
	if (*f->place) {
		buf_str(b, f->pcr >= 0 ? ", " : "");
		put_text(b, f->place);
	}
	buf_str(b, "</p><dl>\n");
	put_row(b, "artefact", f->artefact, false);
	put_row(b, x->proven || f->pcr < 0 ? "fact" : "the log says", f->fact, false);
	put_row(b, "likely", f->guess, false);
	put_row(b, "expected", f->expected, true);
	put_row(b, "found", f->found, true);
	buf_str(b, "</dl></div>\n");
}

static void put_link(struct buf *b, const struct explanation *x, enum explain_link link)
{
	enum explain_state s = x->link[link];

	buf_printf(b, "<li class=\"%s\"><span class=\"sign\" aria-hidden=\"true\">%s</span><span class=\"name\">",
		   states[s].style, states[s].sign);
	put_text(b, explain_link_name(link));
	buf_printf(b, "</span> <span class=\"state\">%s</span>", states[s].word);
	if (*explain_link_pcrs(link)) {
		buf_str(b, " <span class=\"dim\">PCR ");
		put_text(b, explain_link_pcrs(link));
		buf_str(b, "</span>");
	}
	for (size_t i = 0; i < x->n; i++)
		if (x->finding[i].link == link)
			put_finding(b, x, &x->finding[i]);
	buf_str(b, "</li>\n");
}

static void put_verdict(struct buf *b, const struct explanation *x, const struct refvalues *rv)
{
	bool good = x->judged && x->result.appraisal.verdict == APPRAISE_ACCEPT;

	buf_printf(b, "<div class=\"verdict %s\"><h1>%s</h1><p>Held against ", x->n ? "bad" : good ? "good" : "none",
		   good ? "ACCEPT: this host is the host that was built" :
		   x->judged ? "REFUSE: this host is not the host that was built" :
			       "Not judged: no enrolment record and nonce were given");
	put_text(b, rv->name);
	buf_printf(b, ", version %llu, ", (unsigned long long)rv->version);
	put_text(b, rv->arch);
	buf_str(b, ", profile ");
	put_text(b, rv->profile);
	buf_printf(b, ".</p><p>%zu difference%s%s.</p>", x->n + x->dropped, x->n + x->dropped == 1 ? "" : "s",
		   x->proven ? "" : "; nothing below is proven by the TPM, it is only what the logs say");
	buf_str(b, "</div>\n");
}

int explain_html(const struct explanation *x, const struct refvalues *rv, struct buf *out, struct err *e)
{
	buf_str(out, head);
	put_verdict(out, x, rv);
	buf_str(out, "<p class=\"dim\">The chain, from the hardware up. Each link is measured before the next is used.</p><ol>\n");
	for (int i = 0; i < EXPLAIN_LINKS_; i++)
		put_link(out, x, (enum explain_link)i);
	buf_str(out, "</ol>\n");
	for (size_t i = 0; x->proven && i < x->result.appraisal.facts.n; i++) {
		buf_str(out, "<p class=\"dim\">");
		put_text(out, x->result.appraisal.facts.line[i]);
		buf_str(out, "</p>\n");
	}
	buf_str(out, "</body></html>\n");
	return out->bad ? err_set(e, ENOMEM, "no memory for the page") : 0;
}
