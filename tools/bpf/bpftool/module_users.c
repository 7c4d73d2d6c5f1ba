// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Who the users of a BPF module are, where its subsystem tells.
 *
 * Of a TCP congestion control these are sockets, and network namespaces whose
 * default it is. Only those of one's own namespace can be seen, and of these
 * not the sockets that are not connected yet.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include <bpf/btf.h>
#include <bpf/libbpf_internal.h>

#include "main.h"
#include "module.h"

#define DEFAULT_CC "/proc/sys/net/ipv4/tcp_congestion_control"

struct search {
	const char *cc;
	struct module_users *users;
};

static int add_user(struct search *s, const char *text)
{
	char **tmp;

	tmp = libbpf_reallocarray(s->users->names, s->users->cnt + 1, sizeof(*tmp));
	if (!tmp)
		return -ENOMEM;
	s->users->names = tmp;

	tmp += s->users->cnt;
	*tmp = strdup(text);
	if (!*tmp)
		return -ENOMEM;
	s->users->cnt++;
	return 0;
}

static const char *find_cong(const struct inet_diag_msg *msg, int len)
{
	struct rtattr *attr = (void *)(msg + 1);

	for (len -= sizeof(*msg); RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if (attr->rta_type == INET_DIAG_CONG)
			return RTA_DATA(attr);
	return NULL;
}

static int take_socket(struct search *s, const struct nlmsghdr *nlh)
{
	const struct inet_diag_msg *msg = NLMSG_DATA(nlh);
	char text[160], src[INET6_ADDRSTRLEN] = "?", dst[INET6_ADDRSTRLEN] = "?";
	const char *cc = find_cong(msg, NLMSG_PAYLOAD(nlh, 0));

	if (!cc || strcmp(cc, s->cc) != 0)
		return 0;

	inet_ntop(msg->idiag_family, msg->id.idiag_src, src, sizeof(src));
	inet_ntop(msg->idiag_family, msg->id.idiag_dst, dst, sizeof(dst));
	if (msg->id.idiag_dport)
		snprintf(text, sizeof(text), "socket %s port %u to %s port %u", src,
			 ntohs(msg->id.idiag_sport), dst, ntohs(msg->id.idiag_dport));
	else
		snprintf(text, sizeof(text), "socket %s port %u, listening", src,
			 ntohs(msg->id.idiag_sport));
	return add_user(s, text);
}

/* 1 at the end of the dump, 0 if there is more to come, or a negative error. */
static int take_messages(struct search *s, const struct nlmsghdr *nlh, int len)
{
	int err;

	for (; NLMSG_OK(nlh, (unsigned int)len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == NLMSG_DONE)
			return 1;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return -EIO;
		err = take_socket(s, nlh);
		if (err)
			return err;
	}
	return 0;
}

static int find_sockets(struct search *s, int sock, int family)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 diag;
	} req = {
		.nlh.nlmsg_len = sizeof(req),
		.nlh.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.diag.sdiag_family = family,
		.diag.sdiag_protocol = IPPROTO_TCP,
		.diag.idiag_states = -1,
		.diag.idiag_ext = 1 << (INET_DIAG_CONG - 1),
	};
	union {
		struct nlmsghdr nlh;
		char raw[32768];
	} buf;
	int len, done;

	if (send(sock, &req, sizeof(req), 0) < 0)
		return -errno;

	do {
		len = recv(sock, &buf, sizeof(buf), 0);
		if (len < 0)
			return -errno;
		done = take_messages(s, &buf.nlh, len);
	} while (!done);
	return done < 0 ? done : 0;
}

static int find_default(struct search *s)
{
	char cc[64] = "";
	FILE *f;

	f = fopen(DEFAULT_CC, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%63s", cc) != 1)
		cc[0] = '\0';
	fclose(f);

	return strcmp(cc, s->cc) == 0 ? add_user(s, "default of this network namespace") : 0;
}

static int find_cc_users(struct search *s)
{
	int sock, err;

	sock = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (sock < 0)
		return -errno;

	err = find_sockets(s, sock, AF_INET);
	err = err ?: find_sockets(s, sock, AF_INET6);
	err = err ?: find_default(s);
	close(sock);
	return err;
}

/* The name under which the op is a congestion control, NULL if it is none. */
static const char *cc_name(const struct bpf_module_ops_info *ops)
{
	const struct btf *btf = module_kernel_btf(ops->btf_obj_id);
	const struct btf_type *t = btf ? btf__type_by_id(btf, ops->type_id) : NULL;
	const struct btf_member *m;
	int i;

	if (!t || !ops->value || t->size != ops->value_size ||
	    strcmp(btf__name_by_offset(btf, t->name_off), "tcp_congestion_ops") != 0)
		return NULL;

	for (m = btf_members(t), i = 0; i < btf_vlen(t); i++, m++)
		if (strcmp(btf__name_by_offset(btf, m->name_off), "name") == 0)
			return u64_to_ptr(ops->value) + m->offset / 8;
	return NULL;
}

static bool has_cc(const struct module *mod, const char *cc)
{
	__u32 i;

	for (i = 0; i < mod->info.ops_cnt; i++) {
		const char *name = cc_name(&mod->ops[i]);

		if (name && strcmp(name, cc) == 0)
			return true;
	}
	return false;
}

/* A socket names its congestion control, which another module can have as well
 * that is on its way out.
 */
static bool is_ambiguous(const struct module *mod, const char *cc)
{
	bool found = false;
	__u32 id = 0;
	int fd;

	while (!found && (fd = module_open_next(&id)) >= 0) {
		struct module other;

		if (id != mod->info.id && !module_read(fd, &other) &&
		    !module_read_values(fd, &other))
			found = has_cc(&other, cc);
		if (id != mod->info.id)
			module_free(&other);
		close(fd);
	}
	return found;
}

void module_free_users(struct module_users *users)
{
	while (users->cnt)
		free(users->names[--users->cnt]);
	free(users->names);
	users->names = NULL;
}

void module_find_users(const struct module *mod, struct module_users *users)
{
	struct search s = { .users = users };
	__u32 i;

	memset(users, 0, sizeof(*users));
	/* the kernel goes through all its hash tables to tell of sockets */
	if (!mod->info.users)
		return;

	for (i = 0; i < mod->info.ops_cnt; i++) {
		s.cc = cc_name(&mod->ops[i]);
		if (!s.cc)
			continue;
		if (mod->ops[i].state != BPF_MODULE_OPS_REGISTERED || is_ambiguous(mod, s.cc) ||
		    find_cc_users(&s)) {
			module_free_users(users);
			return;
		}
	}

	/* they have come and gone meanwhile */
	if (users->cnt > mod->info.users)
		module_free_users(users);
}
