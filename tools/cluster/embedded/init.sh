#!/bin/bash
# PID 1 of an embedded cluster, in mount, pid, net and ipc namespaces of its own: makes the room, then keeps the
# components alive. Whoever starts it gives FOLDER, BIN (both on the host), CGROUP and NODE_IP, reads one line from
# its stdout when the namespaces are there, and writes two to its stdin: when eth0 is there, and when the cluster is
# ready. An end of that stdin before means that the starter died, and a half cluster that nobody knows of ends too.
set -u

exec 8<"$FOLDER" 9<"$BIN"
echo namespaces
exec >>"$FOLDER/log/init.log" 2>&1
read -r _ || exit 1

mount -t proc proc /proc
# Paths that no flag moves: shim sockets, CNI results, xtables.lock, /var/log/containers.
for directory in /run /var/lib /var/log; do mount -t tmpfs tmpfs $directory; done
mkdir -p /run/lock /run/cluster /run/bin
# Short and equal paths for every cluster; by descriptor, since the tmpfs may now hide the folders.
mount --no-canonicalize --bind /proc/self/fd/8 /run/cluster
mount --no-canonicalize --bind /proc/self/fd/9 /run/bin
exec 8<&- 9<&-
cd /run/cluster
export PATH=/run/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run

# The kubelet sets these for the whole machine; here it writes to files of its own.
mkdir /run/sysctl
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  [ -e /proc/sys/$setting ] || continue
  cp /proc/sys/$setting /run/sysctl/${setting//\//_} && mount --bind /run/sysctl/${setting//\//_} /proc/sys/$setting
done

if [ -f /sys/fs/cgroup/cgroup.controllers ]; then   # version 2 alone
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control || true
  done
  mkdir -p /sys/fs/cgroup/$CGROUP
else
  for hierarchy in cpu cpuacct cpuset memory devices freezer blkio pids systemd; do
    [ -d /sys/fs/cgroup/$hierarchy ] && mkdir -p /sys/fs/cgroup/$hierarchy/$CGROUP
  done
  for file in cpus mems; do cat /sys/fs/cgroup/cpuset/cpuset.$file >/sys/fs/cgroup/cpuset/$CGROUP/cpuset.$file; done
fi

ip link set lo up
ip address add "$NODE_IP/30" dev eth0
ip link set eth0 up
echo 1 >/proc/sys/net/ipv4/ip_forward

# Starts a component again when it ends, as a service manager would.
keep() {
  local name=$1
  shift
  while :; do
    "$@" >>"log/$name.log" 2>&1 </dev/null
    local status=$?
    echo "$(date +%T) $name ended with $status, starting it again"
    sleep 1
  done
}

source ./components.sh
{
  until [ "$(curl -sk --max-time 1 https://127.0.0.1:6443/readyz)" = ok ]; do sleep 0.1; done
  source ./controllers.sh
} &
read -r _ || exit 1
exec </dev/null
while :; do wait; sleep 1; done   # and reap what is orphaned
