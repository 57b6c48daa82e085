/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tests/init/test_uevent.c - waiting for a device: by news, never by polling, never beyond the deadline */
#include "tests/init/fake_sys.h"

#include "common/cleanup.h"
#include "init/uevent.h"

/* As the kernel sends them: lib/kobject_uevent.c. sizeof() counts the last NUL, which the kernel sends too. */
static const char disk[] =
	"add@/devices/pci/block/vda/vda1\0ACTION=add\0DEVPATH=/devices/pci/block/vda/vda1\0SUBSYSTEM=block\0SEQNUM=1";
static const char input[] = "add@/devices/input0\0ACTION=add\0SUBSYSTEM=input";

static void only_a_whole_message_of_the_subsystem_is_news(void **state)
{
	static const struct {
		const char *msg;
		size_t len;
		bool news;
	} cases[] = {
		{ disk, sizeof(disk), true },
		{ "change@/x\0ACTION=change\0SUBSYSTEM=block", 40, true },
		{ input, sizeof(input), false },
		{ disk, sizeof(disk) - 1, false },
		{ "remove@/x\0ACTION=remove\0SUBSYSTEM=block", 40, false },
		{ "add@/x\0ACTION=add\0SUBSYSTEM=blocks", 35, false },
		{ "add@/x\0ACTION=add", 18, false },
		{ "SUBSYSTEM=block", 16, false },
		{ "", 0, false },
		{ "\0\0\0", 3, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (pid1_uevent_matches(cases[i].msg, cases[i].len, "block") != cases[i].news)
			fail_msg("case %zu", i);
}

static void news_ends_the_waiting_at_once(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	fake.uevent[fake.n_uevents++] = (struct fake_event){ .at = fake.now + 5, .text = input, .len = sizeof(input) };
	fake.uevent[fake.n_uevents++] = (struct fake_event){ .at = fake.now + 70, .text = disk, .len = sizeof(disk) };
	assert_ok(pid1_uevent_wait(FAKE_UEVENT_FD, "block", fake.now + 1000, &e), &e);
	assert_int_equal(fake.now, 1000000070);
}

static void lost_messages_are_news(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	fake.uevent[fake.n_uevents++] = (struct fake_event){ .at = fake.now + 5, .number = ENOBUFS };
	assert_ok(pid1_uevent_wait(FAKE_UEVENT_FD, "block", fake.now + 1000, &e), &e);
}

static void the_deadline_holds_though_others_talk(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	for (size_t i = 0; i < 10; i++)
		fake.uevent[fake.n_uevents++] =
			(struct fake_event){ .at = fake.now + 100 * i, .text = input, .len = sizeof(input) };
	assert_refused(pid1_uevent_wait(FAKE_UEVENT_FD, "block", fake.now + 500, &e), &e, ETIMEDOUT, "subsystem block");
	assert_int_equal(fake.now, 1000000500);
}

static void a_failing_socket_is_told(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_reset();
	fake.uevent[fake.n_uevents++] = (struct fake_event){ .at = fake.now, .number = EBADF };
	assert_refused(pid1_uevent_wait(FAKE_UEVENT_FD, "block", fake.now + 500, &e), &e, EBADF, "receive uevents");
	fake_will_fail("poll", "", ENOMEM);
	assert_refused(pid1_uevent_wait(FAKE_UEVENT_FD, "block", fake.now + 500, &e), &e, ENOMEM, "wait for uevents");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_whole_message_of_the_subsystem_is_news),
		cmocka_unit_test(news_ends_the_waiting_at_once),
		cmocka_unit_test(lost_messages_are_news),
		cmocka_unit_test(the_deadline_holds_though_others_talk),
		cmocka_unit_test(a_failing_socket_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
