# Behind linux-nat.sh: a second router with a host of its own, whose address is that of the first router's host.
for n in host3 router2; do
  ip netns add $n
  ip -n $n link set lo up
done
ip -n router2 link add name lan0 type veth peer name e0 netns host3
ip -n router2 link add name wan0 type veth peer name e1 netns far
for d in lan0 wan0; do ip -n router2 link set $d up; done
ip -n router2 addr add 100.64.0.1/24 dev lan0
ip -n router2 addr add 198.51.100.1/24 dev wan0
ip -n host3 link set e0 up
ip -n host3 addr add 100.64.0.11/24 dev e0
ip -n host3 route add default via 100.64.0.1
ip -n far link set e1 up
ip -n far addr add 198.51.100.9/24 dev e1
ip netns exec router2 sysctl -qw net.ipv4.ip_forward=1 \
  net.netfilter.nf_conntrack_events=1 net.netfilter.nf_conntrack_timestamp=1 net.netfilter.nf_conntrack_udp_timeout=3
ip netns exec router2 nft -f - <<RULES
table inet nat {
  chain post {
    type nat hook postrouting priority 100
    oifname "wan0" masquerade
  }
}
RULES
