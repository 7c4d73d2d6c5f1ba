// SPDX-License-Identifier: GPL-2.0
/*
 * A replacement takes over as the default of every network namespace, even of those
 * being created, and nowhere else; a refused one leaves everything as it was.
 */
#include <linux/bpf_module.h>
#include <linux/compiler.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <test_progs.h>
#include "bpf_module_cc.h"
#include "bpf_module_file.h"
#include "bpf_module_info.h"
#include "bpf_module_net.h"
#include "bpf_module_tcp.h"
#include "bpf_module_unload.h"
#include "bpf_module_versions.h"
#include "bpf_module_wait.h"
#include "cap_helpers.h"

#define BM_ROUNDS	10
#define BM_MAKERS	2
#define BM_NAMESPACES	8	/* that each of them keeps */
/* Time for a replacement that does not wait. */
#define BM_HASTE_MS	500

#define BM_ALLOWED BM_TCP_SYSCTL "allowed_congestion_control"

/* Settings of init_net that the tests change. */
struct settings {
	char def[TCP_CA_NAME_MAX];
	char allowed[1024];
};

static bool settings_save(struct settings *s)
{
	return ASSERT_TRUE(bm_read_line(BM_TCP_SYSCTL "congestion_control", s->def,
					sizeof(s->def)), "default") &&
	       ASSERT_TRUE(bm_read_line(BM_ALLOWED, s->allowed, sizeof(s->allowed)), "allowed");
}

static void settings_restore(const struct settings *s)
{
	ASSERT_OK(bm_netns_set_default(s->def), "default back");
	ASSERT_OK(write_sysctl(BM_ALLOWED, s->allowed), "allowed back");
}

/* -- Who may choose it ------------------------------------------------------- */

static const struct restriction {
	const char *name;
	bool old, new;		/* what the versions say: not restricted */
	const char *allowed;	/* what the administrator says, NULL for nothing */
	bool free;		/* at the end, anybody may choose it */
} restrictions[] = {
	{ "restricted",			false, false, NULL, false },
	{ "restricted_by_old",		false, true,  NULL, false },
	{ "free_by_old",		true,  false, NULL, true },
	{ "free_by_administrator",	false, false, "reno " BM_SWITCH, true },
	{ "restricted_by_administrator", true, true,  "reno", false },
};

static int choose_unprivileged(void)
{
	__u64 caps;
	int sock, err;

	err = cap_disable_effective(1ULL << CAP_NET_ADMIN, &caps);
	if (err)
		return err;
	sock = bm_socket(AF_INET, BM_SWITCH);
	if (sock >= 0)
		close(sock);
	ASSERT_OK(cap_enable_effective(caps, NULL), "capabilities back");
	return sock < 0 ? sock : 0;
}

/* The new version can be chosen by those who could choose the old one. */
static void test_restriction(const struct restriction *r)
{
	int expected = r->free ? 0 : -EPERM;
	struct bm_versions v = { .old_fd = -1, .new_fd = -1 };

	if (!bm_version_open(&v.old, BM_OLD))
		return;
	if (!bm_version_open(&v.new, BM_NEW))
		goto out;
	*(__u32 *)bm_cc_field(&v.old, 0, "flags") = r->old ? BM_NON_RESTRICTED : 0;
	*(__u32 *)bm_cc_field(&v.new, 0, "flags") = r->new ? BM_NON_RESTRICTED : 0;
	v.old_fd = bm_cc_load(&v.old, BM_SWITCH);
	if (!ASSERT_OK_FD(v.old_fd, "load"))
		goto out_new;
	if (r->allowed)
		ASSERT_OK(write_sysctl(BM_ALLOWED, r->allowed), "allow");
	ASSERT_EQ(choose_unprivileged(), expected, "choose the old one");
	if (bm_versions_replace(&v))
		ASSERT_EQ(choose_unprivileged(), expected, "choose the new one");
out_new:
	bm_cc_cleanup(&v.new, v.new_fd);
out:
	bm_cc_cleanup(&v.old, v.old_fd);
}

/* -- Not replaced, and not by that name -------------------------------------- */

/* The second op is refused after the first has been switched, so that is switched
 * back.
 */
static void test_refused(const struct settings *s)
{
	struct bm_cc old, new;
	int fd = -1, netns, sock;

	if (!bm_version_open(&old, BM_OLD))
		return;
	if (!bm_version_open(&new, BM_NEW))
		goto out_old;
	bm_cc_add(&old, "bm_second");
	bm_cc_add(&new, "bm_second");
	bm_cc_rename(&new, 1, "bm_other");
	fd = bm_cc_load(&old, BM_SWITCH);
	if (!ASSERT_OK_FD(fd, "load"))
		goto out;
	ASSERT_OK(bm_netns_set_default(BM_SWITCH), "default of init_net");
	netns = bm_netns_enter();
	ASSERT_EQ(bm_users(fd), 2, "users with two defaults");
	ASSERT_EQ(bm_cc_replace(&new, fd), -EINVAL, "replace");
	ASSERT_EQ(bm_users(fd), 2, "users after the refusal");
	sock = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(bm_users(fd), 3, "users with a socket");
	bm_netns_leave(netns);
	close(sock);
	ASSERT_TRUE(bm_wait(bm_users(fd) == 1), "users without the namespace");
	sock = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(bm_users(fd), 2, "users with a socket in init_net");
	close(sock);
	ASSERT_OK(choose_unprivileged(), "choose it");
	settings_restore(s);
	ASSERT_OK(bpf_module_unload(fd, NULL), "unload");
out:
	bm_cc_cleanup(&new, -1);
out_old:
	bm_cc_cleanup(&old, fd);
}

/* A default whose op was unloaded does not become a later op of that name. */
static void test_unloaded(const struct settings *s)
{
	struct bm_versions v;
	struct bm_cc first;
	int fd, netns;

	if (!bm_version_open(&first, BM_OLD))
		return;
	netns = bm_netns_enter();
	fd = bm_cc_load(&first, BM_SWITCH);
	if (!ASSERT_OK_FD(fd, "load") || !ASSERT_OK(bm_netns_set_default(BM_SWITCH), "default"))
		goto out;
	ASSERT_OK(bm_drain(fd), "drain");
	if (bm_versions_open(&v) && bm_versions_replace(&v)) {
		ASSERT_EQ(bm_users(fd), 1, "users of the first");
		ASSERT_EQ(bm_users(v.new_fd), 0, "users of the last");
	}
	bm_versions_close(&v);
out:
	bm_netns_leave(netns);
	ASSERT_TRUE(bm_wait(bm_state(fd) == BPF_MODULE_STATE_GONE), "the first goes");
	bm_cc_cleanup(&first, fd);
}

/* -- While it is replaced ---------------------------------------------------- */

/* The replacement has begun, and it has ended. */
static int begun, replaced;

static bool has(int *step)
{
	return __atomic_load_n(step, __ATOMIC_SEQ_CST);
}

/* Replaces the old version while @cnt threads use it, each with a part of @args. */
static void replace_while(void *(*use)(void *arg), void *args, int size, int cnt,
			  void (*check)(struct bm_versions *v, void *args))
{
	pthread_t threads[BM_MAKERS];
	struct bm_versions v;
	int i;

	__atomic_store_n(&begun, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&replaced, 0, __ATOMIC_SEQ_CST);
	if (!bm_versions_open(&v) || !ASSERT_OK(bm_netns_set_default(BM_SWITCH), "default"))
		goto out;
	for (i = 0; i < cnt; i++)
		CHECK_FAIL(pthread_create(&threads[i], NULL, use, args + i * size));
	__atomic_store_n(&begun, 1, __ATOMIC_SEQ_CST);
	bm_versions_replace(&v);
	__atomic_store_n(&replaced, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < cnt; i++)
		pthread_join(threads[i], NULL);
	check(&v, args);
	ASSERT_OK(bm_netns_set_default("reno"), "default back");
	ASSERT_TRUE(bm_wait(bm_users(v.new_fd) == 0), "users at the end");
out:
	bm_versions_close(&v);
}

struct setter {
	int cnt;
	int more;	/* times after the replacement has begun */
};

/* Sets it and something else, in turns. */
static void *set_default(void *arg)
{
	struct setter *setter = arg;

	while (!has(&begun) || setter->more--) {
		setter->cnt++;
		CHECK_FAIL(bm_netns_set_default(setter->cnt % 2 ? "reno" : BM_SWITCH));
	}
	return NULL;
}

static void check_set(struct bm_versions *v, void *arg)
{
	struct setter *setter = arg;

	ASSERT_EQ(bm_state(v->old_fd), BPF_MODULE_STATE_GONE, "state of the old version");
	ASSERT_EQ(bm_users(v->new_fd), setter->cnt % 2 ? 0 : 1, "users of the new version");
}

/* Setting the default at that moment cannot bring the old version back. */
static void test_sysctl(const struct settings *s)
{
	int i, netns = bm_netns_enter();

	for (i = 0; i < 2 * BM_ROUNDS; i++) {
		struct setter setter = { .more = i };

		replace_while(set_default, &setter, 0, 1, check_set);
	}
	bm_netns_leave(netns);
}

struct maker {
	int netns[BM_NAMESPACES];
	int cnt;
};

/* Creates namespaces and keeps the last ones if there are many. */
static void *make_namespaces(void *arg)
{
	struct maker *maker = arg;
	int fd;

	while (!has(&replaced)) {
		if (CHECK_FAIL(unshare(CLONE_NEWNET)))
			break;
		fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		if (CHECK_FAIL(fd < 0))
			break;
		if (maker->cnt >= BM_NAMESPACES)
			close(maker->netns[maker->cnt % BM_NAMESPACES]);
		maker->netns[maker->cnt++ % BM_NAMESPACES] = fd;
	}
	return NULL;
}

static void check_made(struct bm_versions *v, void *args)
{
	struct maker *makers = args;
	int kept = 0, i, m;

	for (m = 0; m < BM_MAKERS; m++)
		kept += makers[m].cnt < BM_NAMESPACES ? makers[m].cnt : BM_NAMESPACES;
	ASSERT_EQ(bm_state(v->old_fd), BPF_MODULE_STATE_GONE, "state of the old version");
	/* of others and of init_net; those that were not kept end later */
	ASSERT_TRUE(bm_wait(bm_users(v->new_fd) == kept + 1), "users of the new version");
	for (m = 0; m < BM_MAKERS; m++)
		for (i = 0; i < makers[m].cnt && i < BM_NAMESPACES; i++)
			close(makers[m].netns[i]);
}

static void test_namespaces(const struct settings *s)
{
	struct maker makers[BM_MAKERS];
	int i;

	for (i = 0; i < BM_ROUNDS; i++) {
		memset(makers, 0, sizeof(makers));
		replace_while(make_namespaces, makers, sizeof(*makers), BM_MAKERS, check_made);
	}
}

/* A page that is read only when user space allows it. */
struct page {
	void *addr;
	int uffd;
};

static bool page_open(struct page *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {};

	page->addr = mmap(NULL, getpagesize(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!ASSERT_NEQ(page->addr, MAP_FAILED, "mmap"))
		return false;
	page->uffd = syscall(__NR_userfaultfd, O_CLOEXEC);
	if (!ASSERT_OK_FD(page->uffd, "userfaultfd"))
		goto unmap;
	reg.range.start = ptr_to_u64(page->addr);
	reg.range.len = getpagesize();
	reg.mode = UFFDIO_REGISTER_MODE_MISSING;
	if (ASSERT_OK(ioctl(page->uffd, UFFDIO_API, &api), "UFFDIO_API") &&
	    ASSERT_OK(ioctl(page->uffd, UFFDIO_REGISTER, &reg), "UFFDIO_REGISTER"))
		return true;
	close(page->uffd);
unmap:
	munmap(page->addr, getpagesize());
	return false;
}

/* Whoever waits for it continues. */
static void page_close(struct page *page)
{
	close(page->uffd);
	munmap(page->addr, getpagesize());
}

struct held {
	pthread_t maker, replacer;
	struct bpf_module_switch *skel;
	struct bm_versions v;
	int done;	/* the replacement is */
	int netns;	/* that was held up */
};

static void *make_held(void *arg)
{
	struct held *h = arg;

	h->netns = -1;
	__atomic_store_n(&h->skel->bss->held_tid, sys_gettid(), __ATOMIC_SEQ_CST);
	if (!CHECK_FAIL(unshare(CLONE_NEWNET)))
		h->netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return NULL;
}

static void *replace_held(void *arg)
{
	struct held *h = arg;

	bm_versions_replace(&h->v);
	__atomic_store_n(&h->done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* The new version is listed after what was registered before it, the old one was not. */
static bool is_last(void)
{
	char buf[1024], *last;

	if (!bm_tcp_available(buf, sizeof(buf)))
		return false;
	last = strrchr(buf, ' ');
	return last && !strcmp(last + 1, BM_SWITCH);
}

static void replace_with_held(struct held *h, struct page *page)
{
	int ms;

	if (CHECK_FAIL(pthread_create(&h->maker, NULL, make_held, h)))
		return;
	if (!ASSERT_TRUE(bm_wait(READ_ONCE(h->skel->bss->held)), "held up") ||
	    CHECK_FAIL(pthread_create(&h->replacer, NULL, replace_held, h))) {
		page_close(page);
		pthread_join(h->maker, NULL);
		return;
	}
	ASSERT_TRUE(bm_wait(is_last()), "registered");
	for (ms = 0; ms < BM_HASTE_MS && !__atomic_load_n(&h->done, __ATOMIC_SEQ_CST); ms++)
		usleep(1000);
	page_close(page);
	pthread_join(h->maker, NULL);
	pthread_join(h->replacer, NULL);
	ASSERT_OK_FD(h->netns, "the namespace");
	ASSERT_EQ(bm_state(h->v.old_fd), BPF_MODULE_STATE_GONE, "state of the old version");
	/* of init_net and of the other */
	ASSERT_EQ(bm_users(h->v.new_fd), 2, "users of the new version");
	if (h->netns >= 0)
		close(h->netns);
}

/* A namespace that already has its default, but is not listed yet. */
static void test_under_way(const struct settings *s)
{
	struct bm_cc other;
	struct held h = {};
	struct page page;
	int other_fd = -1;

	h.skel = bpf_module_switch__open();
	if (!ASSERT_OK_PTR(h.skel, "open"))
		return;
	bpf_program__set_autoload(h.skel->progs.hold, true);
	if (!ASSERT_OK(bpf_module_switch__load(h.skel), "load") || !page_open(&page))
		goto out;
	h.skel->bss->hold_page = page.addr;
	if (!bm_versions_open(&h.v))
		goto close;
	h.skel->links.hold = bpf_program__attach(h.skel->progs.hold);
	if (!ASSERT_OK_PTR(h.skel->links.hold, "attach"))
		goto close;

	other_fd = bm_cc_open_load(&other, "bm_other", "bm_other");
	ASSERT_OK(bm_netns_set_default(BM_SWITCH), "default");
	replace_with_held(&h, &page);
	settings_restore(s);
	if (other_fd >= 0)
		bm_cc_cleanup(&other, other_fd);
close:
	bm_versions_close(&h.v);
out:
	bpf_module_switch__destroy(h.skel);
}

static const struct {
	const char *name;
	void (*run)(const struct settings *s);
} tests[] = {
	{ "refused", test_refused },
	{ "unloaded", test_unloaded },
	{ "sysctl", test_sysctl },
	{ "namespaces", test_namespaces },
	{ "namespace_under_way", test_under_way },
};

void serial_test_bpf_module_default(void)
{
	struct settings s;
	int i;

	if (!settings_save(&s))
		return;
	for (i = 0; i < ARRAY_SIZE(restrictions); i++)
		if (test__start_subtest(restrictions[i].name))
			test_restriction(&restrictions[i]);
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (test__start_subtest(tests[i].name))
			tests[i].run(&s);
	settings_restore(&s);
}
