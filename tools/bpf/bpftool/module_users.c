// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The users of a BPF module, where its subsystem reports them.
 *
 * For a TCP congestion control these are sockets, and network namespaces whose
 * default it is. Sockets that are not connected yet are not visible, nor are namespaces
 * that we may not enter, or that neither a process nor /run/netns has.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include <bpf/btf.h>
#include <bpf/libbpf_internal.h>

#include "json_writer.h"
#include "main.h"
#include "module.h"

#define DEFAULT_CC "/proc/sys/net/ipv4/tcp_congestion_control"
#define OWN_NETNS "/proc/self/ns/net"
#define NAMED_NETNS "/run/netns"

struct search {
	const char *cc;
	struct module_users *users;
	/* the current one */
	__u64 netns;
	bool is_own_netns;
	/* those that were searched */
	__u64 *seen;
	size_t seen_cnt;
};

static struct module_user *add_user(struct search *s)
{
	struct module_user *tmp;

	tmp = libbpf_reallocarray(s->users->users, s->users->cnt + 1, sizeof(*tmp));
	if (!tmp)
		return NULL;
	s->users->users = tmp;

	tmp += s->users->cnt++;
	memset(tmp, 0, sizeof(*tmp));
	tmp->netns = s->netns;
	tmp->is_own_netns = s->is_own_netns;
	return tmp;
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
	const char *cc = find_cong(msg, NLMSG_PAYLOAD(nlh, 0));
	struct module_user *user;

	if (!cc || strcmp(cc, s->cc) != 0)
		return 0;

	user = add_user(s);
	if (!user)
		return -ENOMEM;
	user->is_socket = true;
	inet_ntop(msg->idiag_family, msg->id.idiag_src, user->src, sizeof(user->src));
	inet_ntop(msg->idiag_family, msg->id.idiag_dst, user->dst, sizeof(user->dst));
	user->src_port = ntohs(msg->id.idiag_sport);
	user->dst_port = ntohs(msg->id.idiag_dport);
	return 0;
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

	return strcmp(cc, s->cc) || add_user(s) ? 0 : -ENOMEM;
}

/* Those in the current network namespace. */
static int find_cc_users_here(struct search *s)
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

/* In the namespace of the file @path, unless that was already searched. One that we may
 * not enter is skipped.
 */
static int find_cc_users_in(struct search *s, const char *path)
{
	struct stat st;
	int fd, err = 0;
	__u64 *tmp;
	size_t i;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st))
		goto out;
	for (i = 0; i < s->seen_cnt; i++)
		if (s->seen[i] == st.st_ino)
			goto out;

	tmp = libbpf_reallocarray(s->seen, s->seen_cnt + 1, sizeof(*tmp));
	if (!tmp) {
		err = -ENOMEM;
		goto out;
	}
	s->seen = tmp;
	s->is_own_netns = !s->seen_cnt;
	s->netns = st.st_ino;
	s->seen[s->seen_cnt++] = st.st_ino;
	if (s->is_own_netns || !setns(fd, CLONE_NEWNET))
		err = find_cc_users_here(s);
out:
	close(fd);
	return err;
}

static int find_cc_users_below(struct search *s, const char *dir, const char *format)
{
	struct dirent *entry;
	char path[PATH_MAX];
	int err = 0;
	DIR *d;

	d = opendir(dir);
	if (!d)
		return 0;
	while (!err && (entry = readdir(d))) {
		if (entry->d_name[0] == '.' ||
		    (strcmp(dir, "/proc") == 0 && !isdigit(entry->d_name[0])))
			continue;
		snprintf(path, sizeof(path), format, entry->d_name);
		err = find_cc_users_in(s, path);
	}
	closedir(d);
	return err;
}

/* Searches our own namespace first, and returns to it. */
static int find_cc_users(struct search *s)
{
	int own, err;

	own = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return -errno;

	s->seen_cnt = 0;
	err = find_cc_users_in(s, OWN_NETNS);
	err = err ?: find_cc_users_below(s, "/proc", "/proc/%s/ns/net");
	err = err ?: find_cc_users_below(s, NAMED_NETNS, NAMED_NETNS "/%s");
	if (s->seen_cnt > 1)
		setns(own, CLONE_NEWNET);
	close(own);
	return err;
}

/* The name under which the op is a congestion control, NULL if it is none. */
static const char *cc_name(const struct bpf_module_ops_info *ops)
{
	const struct btf *btf = module_kernel_btf(ops->btf_obj_id);
	const struct btf_type *t = btf ? btf__type_by_id(btf, ops->type_id) : NULL;
	const struct btf_member *m;
	__u32 i;

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

/* A socket names its congestion control, but another module that is going can have the
 * same name.
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
	free(users->users);
	memset(users, 0, sizeof(*users));
}

void module_describe_user(char *buf, size_t size, const struct module_user *user)
{
	char netns[64] = "";

	if (!user->is_own_netns)
		snprintf(netns, sizeof(netns), "%s network namespace %llu",
			 user->is_socket ? ", in" : "", user->netns);
	if (!user->is_socket)
		snprintf(buf, size, "default of%s", user->is_own_netns ?
			 " this network namespace" : netns);
	else if (user->dst_port)
		snprintf(buf, size, "socket %s port %u to %s port %u%s", user->src,
			 user->src_port, user->dst, user->dst_port, netns);
	else
		snprintf(buf, size, "socket %s port %u, listening%s", user->src, user->src_port,
			 netns);
}

void module_print_user_json(const struct module_user *user)
{
	jsonw_start_object(json_wtr);
	jsonw_string_field(json_wtr, "type", user->is_socket ? "socket" : "netns_default");
	jsonw_lluint_field(json_wtr, "netns_ino", user->netns);
	if (user->is_socket) {
		jsonw_string_field(json_wtr, "src", user->src);
		jsonw_uint_field(json_wtr, "src_port", user->src_port);
		jsonw_bool_field(json_wtr, "listening", !user->dst_port);
		if (user->dst_port) {
			jsonw_string_field(json_wtr, "dst", user->dst);
			jsonw_uint_field(json_wtr, "dst_port", user->dst_port);
		}
	}
	jsonw_end_object(json_wtr);
}

void module_find_users(const struct module *mod, struct module_users *users)
{
	struct search s = { .users = users };
	__u32 i;

	memset(users, 0, sizeof(*users));
	/* to list sockets, the kernel walks all its hash tables */
	if (!mod->info.users)
		return;

	for (i = 0; i < mod->info.ops_cnt; i++) {
		s.cc = cc_name(&mod->ops[i]);
		if (!s.cc)
			continue;
		if (mod->ops[i].state != BPF_MODULE_OPS_REGISTERED || is_ambiguous(mod, s.cc) ||
		    find_cc_users(&s)) {
			module_free_users(users);
			break;
		}
	}
	free(s.seen);

	/* they have come and gone in the meantime */
	if (users->cnt > mod->info.users)
		module_free_users(users);
}
