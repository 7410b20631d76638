# Two inside hosts, a Linux router that masquerades, and the far side, each a network namespace. Run with its own network, mount and user
# namespaces. The router's timeouts are short so that connections end while a test looks.
set -e
mount -t tmpfs none /run
mkdir -p /run/netns
for n in host1 host2 router far; do
  ip netns add $n
  ip -n $n link set lo up
done
ip -n router link add name lan1 type veth peer name e0 netns host1
ip -n router link add name lan2 type veth peer name e0 netns host2
ip -n router link add name wan0 type veth peer name e0 netns far
ip -n router link add name br0 type bridge
ip -n router link set lan1 master br0
ip -n router link set lan2 master br0
for d in lan1 lan2 br0 wan0; do ip -n router link set $d up; done
ip -n router addr add 100.64.0.1/24 dev br0
ip -n router addr add 2001:db8:64::1/64 dev br0 nodad
ip -n router addr add 203.0.113.1/24 dev wan0
ip -n router addr add 2001:db8:113::1/64 dev wan0 nodad
for i in 1 2; do
  ip -n host$i link set e0 up
  ip -n host$i addr add 100.64.0.1$i/24 dev e0
  ip -n host$i addr add 2001:db8:64::1$i/64 dev e0 nodad
  ip -n host$i route add default via 100.64.0.1
  ip -n host$i -6 route add default via 2001:db8:64::1
done
ip -n far link set e0 up
ip -n far addr add 203.0.113.9/24 dev e0
ip -n far addr add 203.0.113.10/24 dev e0
ip -n far addr add 2001:db8:113::9/64 dev e0 nodad
ip netns exec router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
  net.netfilter.nf_conntrack_events=1 net.netfilter.nf_conntrack_timestamp=1 \
  net.netfilter.nf_conntrack_udp_timeout=3 net.netfilter.nf_conntrack_icmp_timeout=3 \
  net.netfilter.nf_conntrack_tcp_timeout_time_wait=1 net.netfilter.nf_conntrack_tcp_timeout_close=1 \
  net.netfilter.nf_conntrack_tcp_timeout_fin_wait=1 net.netfilter.nf_conntrack_tcp_timeout_close_wait=1 \
  net.netfilter.nf_conntrack_tcp_timeout_last_ack=1
ip netns exec router nft -f - <<RULES
table inet nat {
  chain post {
    type nat hook postrouting priority 100
    oifname "wan0" masquerade
  }
}
RULES
